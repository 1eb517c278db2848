import type { DhcpMessage } from "./dhcp";
import type { LinkName } from "../record";

export type MachineName = "appliance" | "minipc";

/** What the rehearsal saw, in the order of time; every conclusion is drawn from these alone. */
export type Seen = {
  atMs: number;
  /** How long the machine that is to answer had no CPU until then, on a busy host, in milliseconds. */
  applianceStarvedMs?: number;
  minipcStarvedMs?: number;
} & What;

export type What =
  | { kind: "ended"; machine: MachineName }
  /** A line on a serial console, without control sequences. */
  | { kind: "line"; machine: MachineName; text: string }
  | LinkWhat;

/** What goes over a link. */
export type LinkWhat = { link: LinkName } & (
  | { kind: "address"; ip: string; mac: string }
  | { kind: "dhcp"; mac: string; message: DhcpMessage }
  | { kind: "time"; mac: string; state: "asked" }
  | { kind: "time"; mac: string; state: "answered"; stratum: number }
  | TftpWhat
  | HttpWhat
  | OperatorWhat
);

/**
 * A connection to a port of the operator's way in, from the address `client` to `server`; `mac` is the client's on this link,
 * or that of who forwards for it.
 */
export type OperatorWhat = { kind: "operator"; mac: string; client: string; server: string; port: number } & {
  state: "asked" | "accepted" | "refused";
};

/** A transfer by TFTP; `mac` is the client's. */
export type TftpWhat = { kind: "tftp"; mac: string; file: string } & (
  { state: "asked" | "answered" } | { state: "sent"; bytes: number } | { state: "refused"; words: string }
);

/**
 * A connection to the web server, or to the registry of images, which speaks HTTP, too, and what is asked on it; `mac` is the
 * client's.
 */
export type HttpWhat = { mac: string } & (
  | { kind: "connect"; port: number; state: "asked" | "accepted" | "refused" }
  | ({ kind: "http" } & Fetch)
  | ({ kind: "registry" } & Fetch)
);

type Fetch = { path: string } & (
  | { state: "asked" }
  | { state: "answered"; status: number }
  | { state: "sent"; status: number; bytes: number; sha256: string }
);
