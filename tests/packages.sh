#!/usr/bin/env bash
# Install the Debian packages that the tests need: a real Blender with what it needs to
# draw without a screen, a real MariaDB. As an ordinary user it names the one command.
set -euo pipefail
wanted=(
  blender bubblewrap strace libfaketime mariadb-server galera-4 rsync iproute2 wrk xvfb xdotool imagemagick
  povray povray-includes gnuplot-nox ffmpeg libxml2-utils curl chromium nginx-light python3-aiosmtpd
  libegl1 libegl-mesa0 libgl1-mesa-dri libgl1 libxkbcommon0 libsm6 libice6 libxi6 libxxf86vm1 libxfixes3 libxrender1
)
command -v dpkg-query >/dev/null || { echo "This is no Debian: please install blender and mariadb-server yourself."; exit 0; }
missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ]; then
  echo "Installing ${missing[*]} …"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "The tests need some Debian packages. Install them with:"
  echo "  sudo apt-get install --no-install-recommends ${missing[*]}"
  exit 1
fi
