# Sourced by ./run and ./check: the Debian packages that building and testing need, and how they get here.
# Debian 12 and 13 have all of them under these names.

build_packages='gcc libc6-dev meson ninja-build pkg-config libpcre2-dev libglib2.0-dev libsqlite3-dev libjson-glib-dev
  libstemmer-dev libpoppler-glib-dev libxml2-dev libcmark-gfm-dev libcmark-gfm-extensions-dev libarchive-dev libseccomp-dev libgtk-4-dev
  libadwaita-1-dev'
run_packages='fonts-dejavu-core poppler-data adwaita-icon-theme'
test_packages='libtesseract-dev tesseract-ocr-eng python3 python3-gi python3-jinja2 gir1.2-atspi-2.0 at-spi2-core dbus xdotool xvfb man-db qemu-user
  gcc-aarch64-linux-gnu libc6-dev-arm64-cross'

# require_packages NAME…: installs what is missing, as root or through sudo; otherwise prints the one command to run.
require_packages() {
  missing=
  for name in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $name"
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=sudo
  else
    printf 'Some packages are missing. Please run, then start again:\n  sudo apt-get install --no-install-recommends%s\n' \
      "$missing" >&2
    exit 1
  fi
  printf 'Installing:%s\n' "$missing" >&2
  # shellcheck disable=SC2086
  { $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >&2 </dev/null || {
    printf 'The packages could not be installed. Please run, then start again:\n  sudo apt-get install%s\n' "$missing" >&2
    exit 1
  }
}
