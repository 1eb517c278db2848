import { stringify } from "yaml";
import { findingsOf } from "../../../steps/talos/findings";
import { readNodeConfig } from "../../../steps/talos/read-node-config";
import type { Surroundings } from "../../../steps/talos/surroundings";

const AROUND = {
  talosVersion: "v1.11.6",
  minipcIp: "10.10.10.100",
  minipcMac: "52:54:00:12:34:56",
  applianceCidr: "10.10.10.2/24",
  uplink: true,
  joins: false,
};

interface Case {
  type?: string;
  vip?: string;
  around?: Partial<Surroundings>;
}

/** What is said of an endpoint's host, a line each. */
function said(host: string, { type = "controlplane", vip, around }: Case = {}): string {
  const config = {
    machine: {
      type,
      ca: { crt: "the CA's certificate" },
      install: { image: "ghcr.io/siderolabs/installer:v1.11.6" },
      network: vip ? { interfaces: [{ dhcp: true, vip: { ip: vip } }] } : {},
    },
    cluster: { controlPlane: { endpoint: `https://${host}:6443` } },
  };
  return findingsOf(readNodeConfig(stringify(config)), { ...AROUND, ...around })
    .map(({ level, text }) => `${level}: ${text}`)
    .join("\n");
}

const SECOND = { minipcIp: "10.10.10.101" };
const MOVED = { minipcIp: "192.168.77.100", applianceCidr: "192.168.77.2/24" };

test.each<[string, string, Case]>([
  ["a first control plane under its own lease", "10.10.10.100", {}],
  ["a vip of the config", "10.10.10.7", { vip: "10.10.10.7" }],
  ["a name", "talos.example", { around: MOVED }],
  ["an address on the lasting network", "192.168.1.50", {}],
  [
    "a second control plane with the first one's endpoint",
    "10.10.10.100",
    { around: { ...SECOND, joins: true } },
  ],
  ["a worker of a control plane on the link", "10.10.10.100", { type: "worker", around: SECOND }],
  ["a worker whose control plane is elsewhere", "192.168.1.50", { type: "worker" }],
])("%s causes no finding", (_what, host, given) => {
  expect(said(host, given)).toBe("");
});

test.each<[string, string, Case, RegExp]>([
  ["the appliance", "10.10.10.2", {}, /^error: .*10\.10\.10\.2:6443 is the appliance, which goes away/],
  [
    "an address on the link that nobody is known to have",
    "10.10.10.100",
    { around: SECOND },
    /^error: .*neither minipcIp 10\.10\.10\.101 nor a vip .*set joins to true/,
  ],
  ["a worker's own lease", "10.10.10.100", { type: "worker" }, /^error: .* is this worker's own lease/],
  [
    "the own lease of a mini-PC that joins",
    "10.10.10.100",
    { around: { joins: true } },
    /^warning: .*find only itself/,
  ],
  [
    "the usual lease after a move of the link",
    "10.10.10.100",
    { around: MOVED },
    /^warning: .*earlier lease/,
  ],
  [
    "a lease of its own that the stack had before",
    "172.16.0.100",
    { around: { leases: ["172.16.0.100"] } },
    /^warning: .*earlier lease: the mini-PC has 10\.10\.10\.100 on 10\.10\.10\.2\/24/,
  ],
])("%s causes a finding", (_what, host, given, line) => {
  expect(said(host, given)).toMatch(line);
});
