#!/bin/sh
# Lays the appliance down: nothing here knows a MAC, an address or a secret.
set -eu

from=/tmp/appliance
install -d /usr/local/lib/bootstrap-pxe /srv/http /srv/tftp /srv/site /srv/netboot
install -m 755 "$from/apply" "$from/announce" "$from/seal" /usr/local/lib/bootstrap-pxe/
install -m 644 "$from"/units/*.service /etc/systemd/system/
install -m 644 "$from/nftables.conf" /etc/nftables.conf
install -m 644 "$from/sysctl.conf" /etc/sysctl.d/60-bootstrap-pxe.conf
install -D -m 644 "$from/journald.conf" /etc/systemd/journald.conf.d/60-bootstrap-pxe.conf
for service in dnsmasq nginx chrony; do
  install -D -m 644 "$from/after-apply.conf" "/etc/systemd/system/$service.service.d/bootstrap-pxe.conf"
done

# The layers are mounted beside, by partition name; what is served points into them.
for layer in site netboot; do
  printf 'PARTLABEL=bootstrap-%s /srv/%s squashfs ro,nodev,nosuid,noexec,nofail,x-systemd.device-timeout=60s 0 0\n' \
    "$layer" "$layer" >>/etc/fstab
done
ln -sfn /srv/netboot/talos /srv/http/talos
ln -sfn /srv/site/configs /srv/http/configs
ln -sfn /srv/site/http/boot.ipxe /srv/http/boot.ipxe
for loader in snponly.efi ipxe.efi undionly.kpxe; do
  install -m 644 "/usr/lib/ipxe/$loader" "/srv/tftp/$loader"
done

rm -f /etc/nginx/sites-enabled/default
# chrony's own file would ask the world for time from the uplink before the site says so.
rm -f /etc/chrony/sources.d/* /etc/chrony/conf.d/*

systemctl enable bootstrap-apply.service bootstrap-announce.service \
  nftables.service nginx.service dnsmasq.service chrony.service systemd-networkd.service systemd-resolved.service \
  serial-getty@ttyS0.service >/dev/null
# A link without a cable must not hold the boot up, and nobody logs in from a network.
systemctl mask systemd-networkd-wait-online.service ssh.service ssh.socket >/dev/null 2>&1
for timer in apt-daily.timer apt-daily-upgrade.timer man-db.timer e2scrub_all.timer; do
  systemctl disable "$timer" >/dev/null 2>&1 || true
done

if [ -x /usr/sbin/update-grub ]; then
  install -D -m 644 "$from/grub.cfg" /etc/default/grub.d/60-bootstrap-pxe.cfg
  update-grub >/dev/null 2>&1
fi
rm -rf "$from"
