class ProgressBar: pass
