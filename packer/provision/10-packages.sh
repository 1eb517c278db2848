#!/bin/sh
# What the appliance runs. A base that has it all already needs no network.
set -eu

wanted="busybox-static chrony dnsmasq docker-registry ipxe netplan.io nftables nginx systemd-resolved"
missing=""
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done

# Ubuntu has systemd-resolved inside systemd until 24.04, and then it is no package.
if ! apt-cache show systemd-resolved >/dev/null 2>&1 && [ -x /lib/systemd/systemd-resolved ]; then
  missing=$(printf '%s' "$missing" | sed 's/ systemd-resolved//')
fi

if [ -n "$missing" ]; then
  # A service that starts here would hold apt up, or answer on the build's network.
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  # shellcheck disable=SC2086 # a list of packages
  apt-get install -q -y --no-install-recommends $missing
  rm /usr/sbin/policy-rc.d
fi
