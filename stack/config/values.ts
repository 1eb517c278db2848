import ipaddr from "ipaddr.js";
import isMACAddress from "validator/lib/isMACAddress";
import isURL from "validator/lib/isURL";
import * as z from "zod";
import { fileUrlFault } from "../file-url-fault";
import { splitArguments } from "../kernel-line";
import { NO_USER_INFO, USER_INFO } from "../source-url";
import { overlap } from "../networks";
import { kernelArgFault } from "../talos-kernel";

/** The MAC of the documents and of Pulumi.lab.yaml. Whoever boots with it has not set their own. */
export const EXAMPLE_MAC = "00:11:22:33:44:55";

/** Ranges (ipaddr.js) whose addresses no NIC can have. */
const NO_HOSTS = ["unspecified", "loopback", "multicast", "broadcast"];

/** Why no other host can have an address, or any of a network's; undefined where one can. */
export function noHostFault(address: ipaddr.IPv4 | ipaddr.IPv6, written: string): string | undefined {
  const kind = address.range();
  return NO_HOSTS.includes(kind)
    ? `${written} is of addresses that no host on a network has (${kind})`
    : undefined;
}

export const isIpv4 = (value: string) => ipaddr.IPv4.isValidFourPartDecimal(value);
export const ipv4 = z.string().refine(isIpv4, "not an IPv4 address");
/** The address of another host. Without a zone (`fe80::1%eth0`): what the appliance's NICs are called is no matter of a stack. */
export const ipAddress = z.string().superRefine((value, context) => {
  const isAddress = isIpv4(value) || (ipaddr.IPv6.isValid(value) && !value.includes("%"));
  const message = isAddress ? noHostFault(ipaddr.parse(value), value) : "not an IP address";
  if (message) context.addIssue({ code: "custom", message });
});
export const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "names a file or folder: 1 to 64 letters, digits, dots, dashes, underscores (a date in YAML needs quotes)",
  );
export const flag = z
  .enum(["true", "false"], "neither true nor false")
  .transform((value) => value === "true");
export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, "not a SHA-256")
  .toLowerCase();
export const path = z
  .string()
  .regex(/^[^\0\n]+$/, "not a path")
  .refine(
    (value) => !/^~[^/]*(\/|$)/.test(value),
    "only a shell puts a home in the place of ~: write the path in full",
  );
export const source = z
  .string()
  .refine(
    (value) =>
      /^file:\/\/./.test(value) ||
      isURL(value, { protocols: ["https"], require_protocol: true, require_tld: false }),
    "neither an https:// nor a file:// URL",
  )
  .refine((value) => !USER_INFO.test(value), NO_USER_INFO)
  .superRefine((value, context) => {
    const message = fileUrlFault(value);
    if (message) context.addIssue({ code: "custom", message });
  });
/** Why a text is no network that hosts are let in from; undefined where it is one. */
function networkFault(value: string): string | undefined {
  if (isIpv4(value)) return `${value} has no prefix length: for that host alone write ${value}/32`;
  const [address = "", length = ""] = value.split("/");
  if (!isIpv4(address) || !ipaddr.IPv4.isValidCIDR(value))
    return `${value === "" ? "an empty entry" : value} is not an IPv4 network with its prefix length`;
  const network = ipaddr.IPv4.networkAddressFromCIDR(value);
  if (Number(length) === 0) return `${value} is every address there is: name the networks of your own`;
  if (Number(length) < 8) return `${value} is wider than a network of one's own is, which is /8 at most`;
  if (network.toString() !== address)
    return `${value} is an address in the network ${network.toString()}/${length}: write that, or ${address}/32 for the host alone`;
  return noHostFault(network, value);
}

/** An IPv4 network that hosts are let in from, as NETWORK/LENGTH, with a length from 8 to 32. */
export const network = z
  .string()
  .superRefine((value, context) => {
    const message = networkFault(value);
    if (message) context.addIssue({ code: "custom", message });
  })
  // A length may be written with zeros before it.
  .transform((value) => ipaddr.IPv4.parseCIDR(value).join("/"));

/** A list as JSON writes it, as Pulumi hands over a YAML list; undefined for any other text. */
function jsonList(value: string): string[] | undefined {
  if (!value.trim().startsWith("[")) return undefined;
  try {
    const read = z.array(z.string()).safeParse(JSON.parse(value));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}

export const list = <T extends z.ZodType<string, string>>(item: T) =>
  z
    .string()
    .transform((value) => (jsonList(value) ?? value.split(",")).map((part) => part.trim()))
    .pipe(z.array(item));

/** A comma parts two consoles only where a console's name follows: `ttyS0,115200n8` is one, with its speed. */
const BETWEEN_CONSOLES = /,\s*(?=tty|hvc|uart|null)/;

/** What the kernel takes for a console on x86, with its options (Linux, kernel-parameters.txt, console=). */
const CONSOLE =
  /^(tty\d+|(ttyS|ttyUSB|hvc)\d+(,\d+[neo]?[5-8]?r?)?|uart(8250)?,(io|mmio|mmio16|mmio32),(0x)?[\da-f]+(,\d+[neo]?[5-8]?r?)?|null)$/i;

export const consoles = z
  .string()
  .transform((value) => (jsonList(value) ?? value.split(BETWEEN_CONSOLES)).map((part) => part.trim()))
  .pipe(z.array(z.string().regex(CONSOLE, "not a kernel console")));

export const kernelArgs = z
  .string()
  .refine(
    (value) => !value.trim().startsWith("[") || jsonList(value) !== undefined,
    "not a list as JSON writes it, each argument in double quotes",
  )
  .transform((value) => (jsonList(value) ?? [value]).flatMap(splitArguments))
  .superRefine((given, context) => {
    for (const message of given.flatMap((argument) => kernelArgFault(argument) ?? []))
      context.addIssue({ code: "custom", message });
  });

/** IEEE 802: the lowest bit of the first byte marks a group address, which no NIC has. */
function macFault(mac: string): string | undefined {
  if (mac === "00:00:00:00:00:00") return "all zero, no NIC has it";
  if (mac === "ff:ff:ff:ff:ff:ff") return "the broadcast address, no NIC has it";
  if (mac === EXAMPLE_MAC) return "the example in the documents; set the MAC of the real mini-PC";
  return parseInt(mac.slice(0, 2), 16) & 1 ? "a multicast address, no NIC has it" : undefined;
}

export const mac = z
  .string()
  .refine((value) => isMACAddress(value, { eui: "48" }), "not a MAC address of 6 bytes")
  .transform((value) =>
    value
      .toLowerCase()
      .replace(/[^0-9a-f]/g, "")
      .match(/../g)!
      .join(":"),
  )
  .superRefine((value, context) => {
    const wrong = macFault(value);
    if (wrong) context.addIssue({ code: "custom", message: wrong });
  });

export const cidr = z
  .string()
  .refine(
    (value) => /^[\d.]+\/\d+$/.test(value) && ipaddr.IPv4.isValidCIDR(value),
    "not an IPv4 address with its prefix length",
  )
  .refine((value) => {
    const prefix = Number(value.split("/")[1]);
    return !ipaddr.IPv4.isValidCIDR(value) || (prefix >= 8 && prefix <= 30);
  }, "the prefix length is not between 8 and 30")
  .transform((value) => {
    const [address, prefix] = ipaddr.IPv4.parseCIDR(value);
    return {
      cidr: `${address.toString()}/${prefix}`,
      address: address.toString(),
      network: ipaddr.IPv4.networkAddressFromCIDR(value).toString(),
      broadcast: ipaddr.IPv4.broadcastAddressFromCIDR(value).toString(),
      netmask: ipaddr.IPv4.subnetMaskFromPrefixLength(prefix).toString(),
      prefix,
    };
  });
/** An address that a host can have, with its prefix length. */
export const hostCidr = cidr.superRefine(({ address }, context) => {
  const message = noHostFault(ipaddr.IPv4.parse(address), address);
  if (message) context.addIssue({ code: "custom", message });
});
/** RFC 3927. */
const LINK_LOCAL = "169.254.0.0/16";
/**
 * An address on the isolated link. A kubelet refuses a link-local address as its node's (Kubernetes, validateNodeIP in
 * pkg/kubelet/kubelet_node_status.go).
 */
export const linkCidr = hostCidr.refine(
  (link) => !overlap(link.cidr, LINK_LOCAL),
  `its network has link-local addresses (${LINK_LOCAL}), which a Kubernetes node does not take for its own`,
);
export const range = z
  .string()
  .refine((value) => {
    const ends = value.split("-").map((end) => end.trim());
    return ends.length === 2 && ends.every(isIpv4);
  }, "not FIRST-LAST, two IPv4 addresses")
  .transform((value) => {
    const [first, last] = value.split("-").map((end) => end.trim()) as [string, string];
    return { first, last };
  });
