import type { Diagnosis, Proof } from "./record";

/** Where to look when something happened that must not. */
const LOOK: Record<string, string> = {
  "other-mac": "Look at dhcp-ignore in files/dnsmasq.conf",
  "uplink-dhcp": "Look at interface in files/dnsmasq.conf and at the chain input in files/nftables.conf",
  "uplink-silent": "Look at the chain input in files/nftables.conf",
  pinned:
    "Look at location /configs/ in files/nginx-bootstrap.conf, and at ether saddr in files/nftables.conf",
  "way-in": "Look at operatorNetwork, and at the chains forward and postrouting in files/nftables.conf",
  "images-alone":
    "Look at skipFallback of the mirrors in the machine config, and at its settings that name another host",
  "way-out":
    "Look at the chains forward and postrouting in files/nftables.conf, and at the uplink in files/netplan.yaml",
};

/** The first proof that does not hold, if there is one, and where to look. */
export function firstBroken(proofs: Proof[]): Diagnosis | undefined {
  const broken = proofs.find(({ held }) => !held);
  return (
    broken && {
      kind: "proof",
      at: broken.id,
      title: broken.title,
      side: "appliance",
      seen: broken.evidence,
      look: broken.look ?? LOOK[broken.id] ?? "Look at the captures",
    }
  );
}
