/** Who takes part in a rehearsal. `stranger` is the rehearsal itself, asking as another host would. */
export type Party = "minipc" | "appliance" | "stranger";

/** `isolated` joins the mini-PC and the appliance; `uplink` is the appliance's way out. */
export type LinkName = "isolated" | "uplink";

/** Whose doing a milestone is. */
export type Side = Extract<Party, "minipc" | "appliance">;

/** A milestone that held. */
export interface Reached {
  /** Short name, as in `lease`; it names the pictures too. */
  id: string;
  /** In words, as in `the mini-PC has its lease`. */
  title: string;
  side: Side;
  /** Milliseconds from the appliance's power-on. */
  atMs: number;
  /** What shows it: a line of a console, an answer on a link. */
  evidence: string;
}

/** Something said on a link, in one line; a whole transfer counts as one. */
export interface Exchange {
  /** Milliseconds from the appliance's power-on. */
  atMs: number;
  link: LinkName;
  from: Party;
  /** Unset: to everyone on the link. */
  to?: Party;
  /** As in `DHCP offer: 10.10.10.100, snponly.efi`. */
  what: string;
}

/** Something that must not happen, and whether it did not. */
export interface Proof {
  id: string;
  /** What must be so, as in `another MAC is offered no address`. */
  title: string;
  held: boolean;
  /** What was asked and what was heard. */
  evidence: string;
  /** Where to look when it was not held, where that is known better than by the proof's name. */
  look?: string;
}

/** Which milestone broke, what was seen there, and where to look. */
export interface Diagnosis {
  /** What did not hold: a milestone, or a proof of what must not happen. */
  kind: "milestone" | "proof";
  /** Its id. */
  at: string;
  /** Its title. */
  title: string;
  side: Side;
  /** What was seen instead, one sentence without its full stop. */
  seen: string;
  /** Where to look and what to do, one sentence without its full stop. */
  look: string;
}

/** A picture of a screen when a milestone was reached, or at the end. */
export interface Screen {
  /** Id of what was reached then, or `end`. */
  id: string;
  machine: "appliance" | "minipc";
  /** Path beside the record, as in `screens/05-lease-minipc.png`. */
  file: string;
}

/** The hardware that a virtual machine pretends to be. */
export interface Hardware {
  firmware: "bios" | "uefi";
  disk?: "virtio" | "virtio-scsi" | "sata" | "ide";
  nic: "virtio-net-pci" | "e1000" | "e1000e";
  /** The uplink's NIC comes first. */
  swapped?: boolean;
  /** What its clock says at power-on, as in `2011-01-01T00:00:00`, UTC; unset, the right time. */
  clock?: string;
  /** MiB; unset, what the runbook gives it. */
  memoryMib?: number;
  /** A third NIC, before the others, which is on the uplink too. */
  thirdNic?: boolean;
  /** What it writes to its disk is written to the image, as a virtual machine's own disk keeps it; unset, it is forgotten. */
  keepsDisk?: boolean;
}

/** One rehearsal, as `rehearsal.json` has it. It holds no secret: of a config, the digest. */
export interface RehearsalRecord {
  passed: boolean;
  image: { path: string; sha256: string; bytes: number };
  minipc: { mac: string; ip: string };
  talosVersion: string;
  /** ISO 8601, UTC. */
  startedAt: string;
  tookMs: number;
  accelerator: "kvm" | "hvf" | "tcg";
  hardware: {
    appliance: Hardware;
    minipc: Hardware;
    /** A second appliance from the same image, with the other firmware and its NICs the other way round. */
    twin?: Hardware;
  };
  reached: Reached[];
  proofs: Proof[];
  exchanges: Exchange[];
  screens: Screen[];
  /** Set when it did not pass. */
  diagnosis?: Diagnosis;
}
