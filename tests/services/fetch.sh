#!/bin/bash
# fetch.sh FOLDER: unpack Debian's package `prometheus` (server and promtool) there; no root needed.
set -eu
folder=$1
mkdir -p "$folder"
cd "$folder"
[ -x root/usr/bin/prometheus ] && exit 0
# Lists of packages of our own: the system's may be missing, and only root may renew them.
own=(-o Dir::State::Lists="$PWD/lists" -o Dir::Cache="$PWD/cache" -o Debug::NoLocking=1
	-o APT::Sandbox::User="$(id -un)")
mkdir -p lists/partial cache/archives/partial
apt-get "${own[@]}" -qq update
apt-get "${own[@]}" -qq download prometheus
dpkg -x prometheus_*.deb root
rm -rf lists cache prometheus_*.deb
