#!/bin/sh
# Lays the appliance down: nothing here knows a MAC, an address or a secret.
set -eu

from=/tmp/appliance
install -d /usr/local/lib/bootstrap-pxe/status /srv/http /srv/tftp /srv/site /srv/netboot /srv/images
install -m 755 "$from/apply" "$from/hand-out" "$from/ask-resolvers" "$from/narrate" "$from/handover" "$from/announce" "$from/show-status" "$from/seal" /usr/local/lib/bootstrap-pxe/
install -m 644 "$from/console" "$from/verdict" "$from/uplink" "$from/missing" "$from/journal" "$from/closed.nft" "$from/events.awk" "$from/registry.yml" /usr/local/lib/bootstrap-pxe/
install -m 644 "$from"/status/* /usr/local/lib/bootstrap-pxe/status/
install -m 644 "$from"/units/*.service /etc/systemd/system/
install -m 644 "$from/nftables.conf" /etc/nftables.conf
install -m 644 "$from/sysctl.conf" /etc/sysctl.d/60-bootstrap-pxe.conf
install -m 644 "$from/modprobe.conf" /etc/modprobe.d/bootstrap-pxe.conf
install -D -m 644 "$from/journald.conf" /etc/systemd/journald.conf.d/60-bootstrap-pxe.conf
install -D -m 644 "$from/uplink.network.conf" /etc/systemd/network/10-netplan-uplink.network.d/bootstrap-pxe.conf
install -D -m 644 "$from/resolved.conf" /etc/systemd/resolved.conf.d/60-bootstrap-pxe.conf
# Before any NIC is up: a NIC that filters by VLAN lets frames with a priority and no VLAN (IEEE 802.1Q, VLAN 0) in from then on.
echo 8021q >/etc/modules-load.d/bootstrap-pxe.conf
for service in dnsmasq nginx chrony; do
  install -D -m 644 "$from/after-apply.conf" "/etc/systemd/system/$service.service.d/bootstrap-pxe.conf"
done
install -m 644 "$from/dnsmasq.conf" /etc/systemd/system/dnsmasq.service.d/bootstrap-pxe-daemon.conf

# The journals of the file systems repair what a power cut leaves; a check at each boot takes seconds.
sed -i -E '/^[^#]/s/[[:blank:]]+[0-9]+[[:blank:]]*$/ 0/' /etc/fstab
# The layers are mounted beside, by partition name; what is served points into them.
for layer in site netboot; do
  printf 'PARTLABEL=bootstrap-%s /srv/%s squashfs ro,nodev,nosuid,noexec,nofail,x-systemd.device-timeout=60s 0 0\n' \
    "$layer" "$layer" >>/etc/fstab
done
# Only the image of an offline stack has it, and `apply` mounts it there.
printf 'PARTLABEL=bootstrap-images /srv/images squashfs ro,nodev,nosuid,noexec,noauto,nofail,x-systemd.device-timeout=20s 0 0\n' \
  >>/etc/fstab
ln -sfn /srv/netboot/talos /srv/http/talos
ln -sfn /srv/site/configs /srv/http/configs
ln -sfn /srv/site/http/boot.ipxe /srv/http/boot.ipxe
for loader in snponly.efi ipxe.efi undionly.kpxe; do
  install -m 644 "/usr/lib/ipxe/$loader" "/srv/tftp/$loader"
done
# iPXE of before 2021 (cd3de55ea) does not read what UEFI firmware was leased, and with it the commands to try again.
grep -q cachedhcp /srv/tftp/snponly.efi ||
  echo "the base's iPXE is too old to try again on UEFI where the link blocks for a while: take a base with one of 2021 or newer" >&2

rm -f /etc/nginx/sites-enabled/default
# chrony's own file would ask the world for time from the uplink before the site says so.
rm -f /etc/chrony/sources.d/* /etc/chrony/conf.d/*

systemctl enable bootstrap-apply.service bootstrap-narrate.service bootstrap-handover.service bootstrap-announce.service \
  bootstrap-registry.service bootstrap-status.service nftables.service nginx.service dnsmasq.service chrony.service systemd-networkd.service systemd-resolved.service \
  serial-getty@ttyS0.service getty@tty2.service >/dev/null
# Masked as systemctl does it, which would read all units anew at each: a link without a cable must not hold the boot
# up; nobody logs in from a network; the first terminal is for the status; the rest no one needs here. Most are not in every base.
for unit in systemd-networkd-wait-online.service ssh.service ssh.socket getty@tty1.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer man-db.timer \
  e2scrub_reap.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-pstore.service \
  dev-hugepages.mount dev-mqueue.mount modprobe@.service \
  sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
  docker-registry.service apport.service multipathd.service multipathd.socket pollinate.service \
  snapd.seeded.service snapd.service snapd.socket udisks2.service rsyslog.service syslog.socket; do
  ln -sfn /dev/null "/etc/systemd/system/$unit"
done
install -d /etc/systemd/system-generators
for generator in cloud-init systemd-cryptsetup systemd-gpt-auto systemd-hibernate-resume systemd-integritysetup \
  systemd-rc-local systemd-system-update systemd-sysv systemd-veritysetup; do
  ln -sfn /dev/null "/etc/systemd/system-generators/$generator-generator"
done

if [ -x /usr/sbin/update-grub ]; then
  install -D -m 644 "$from/grub.cfg" /etc/default/grub.d/60-bootstrap-pxe.cfg
  update-grub >/dev/null 2>&1
fi
# systemd starts with no earlier time than this file's (systemd(1)), whatever the virtual machine's clock says.
touch /usr/lib/clock-epoch
rm -rf "$from"
