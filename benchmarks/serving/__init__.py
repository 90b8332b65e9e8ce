"""What a monitor costs a service: the example behind HTTP, with and without it."""
