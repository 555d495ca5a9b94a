#!/bin/sh
# Installs the Debian packages of a group, those that are missing alone.
#
#     tools/packages.sh build     what the server needs to be built
#     tools/packages.sh test      what the tests need, too
#
# Works as root, and as a user who may use sudo.  Does nothing, and is quick, when all are there.
set -eu

build="meson ninja-build gcc libc6-dev pkg-config python3 libssl-dev libhttp-parser-dev
       libcjson-dev libcyaml-dev libyaml-dev zlib1g-dev"
test="libcmocka-dev openssl clang-14 libclang-rt-14-dev clang-format-14 llvm-14 chromium firefox-esr
      fonts-noto-cjk coturn nftables iproute2 libnss3-tools libsrtp2-dev libusrsctp-dev
      python3-gi gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice
      gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
      libvpx-dev libaom-dev libdav1d-dev libavcodec-dev libopenh264-dev libx265-dev libopus-dev"

# libipsec-mb, for SRTP, is made for one kind of processor; the others do without it
[ "$(dpkg --print-architecture 2>/dev/null)" != amd64 ] || build="$build libipsec-mb-dev"

case "${1:-}" in
build) wanted=$build ;;
test)
    wanted="$build $test"
    # a machine may have a newer one than Debian's, from elsewhere
    command -v node >/dev/null || wanted="$wanted nodejs"
    command -v npm >/dev/null || wanted="$wanted npm"
    ;;
*)
    echo "usage: tools/packages.sh build|test" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "moim: this is no Debian system (there is no apt-get); please install what stands for:" >&2
    echo $wanted >&2
    exit 1
fi

missing=
for package in $wanted; do
    status=$(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | head -n 1)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "moim: packages are missing, and installing them needs root or sudo.  As root:" >&2
        echo "    apt-get update && apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    as_root=sudo
fi

echo "moim: installing$missing" >&2
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" >&2
}

# Of coturn the tests use the clients: its server is not to take TURN's port, now or after a reboot.
quiet=
case " $missing " in
*" coturn "*) [ ! -d /run/systemd/system ] || quiet=yes ;;
esac
[ -z "$quiet" ] || $as_root systemctl mask --runtime coturn.service >&2

status=0
apt update && apt install -y --no-install-recommends $missing || status=$?

if [ -n "$quiet" ]; then
    $as_root systemctl unmask --runtime coturn.service >&2 || true
    $as_root systemctl disable coturn.service >&2 || true
fi
if [ $status -ne 0 ]; then
    echo "moim: the packages can't be installed (see above)" >&2
    exit 1
fi
