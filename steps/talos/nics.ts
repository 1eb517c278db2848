import type { LinkAlias, LinkChoice, NicSelector, NodeConfig } from "./node-config";

/** Whether something is so, as far as it can be known without the machine. */
export type Told = "yes" | "no" | "maybe";

/** The loopback has a name like a NIC, but is not one. */
export const LOOPBACK = "lo";

/** Metric of a route that says none, of a config and of DHCP (pkg/machinery, resources/network: DefaultRouteMetric). */
export const USUAL_METRIC = 1024;

const told = (is: boolean): Told => (is ? "yes" : "no");

const every = (all: Told[]): Told => (all.includes("no") ? "no" : all.includes("maybe") ? "maybe" : "yes");
const some = (all: Told[]): Told => (all.includes("yes") ? "yes" : all.includes("maybe") ? "maybe" : "no");

/** Talos's wildcard: `*` stands for anything, and upper and lower case differ (github.com/ryanuber/go-glob). */
function glob(pattern: string, value: string): boolean {
  const escaped = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`, "s").test(value);
}

const ANYTHING = /^\*+$/;

/** Whether a selector means the NIC of a MAC. Its driver and its place on a bus are not known here. */
function selects(selector: NicSelector, mac: string): Told {
  const asked: Told[] = [selector.hardwareAddr, selector.permanentAddr].flatMap((pattern) =>
    pattern ? told(glob(pattern, mac)) : [],
  );
  for (const pattern of [selector.busPath, selector.pciID, selector.driver])
    if (pattern) asked.push(ANYTHING.test(pattern) ? "yes" : "maybe");
  if (selector.physical !== undefined) asked.push(told(selector.physical));
  return asked.length === 0 ? "no" : every(asked);
}

const MAC_OF_LINK = String.raw`mac\(\s*link\.(?:hardware_addr|permanent_addr)\s*\)`;
const TEXT = String.raw`(?:"([^"\\]*)"|'([^'\\]*)')`;
const anchored = (...parts: string[]) => new RegExp(`^\\s*${parts.join("\\s*")}\\s*$`);
const SAME = [anchored(MAC_OF_LINK, "==", TEXT), anchored(TEXT, "==", MAC_OF_LINK)];
const GLOB = anchored("glob\\(", TEXT, ",", MAC_OF_LINK, "\\)");
const ALT_NAME = anchored(TEXT, "in", String.raw`link\.alt_names`);

/** The MAC that the kernel's name of a NIC is made of, where systemd's naming makes it so. */
const MAC_NAME = /^enx([0-9a-f]{12})$/;

/** Whether a CEL expression is true of the NIC of a MAC: only the most common forms are understood. */
export function matches(expression: string, mac: string): Told {
  // Parentheses around parts, a negation or a condition would need a parser.
  if (/[!?]|\(\s*\(|^\s*\(/.test(expression)) return "maybe";
  if (expression.includes("||")) return some(expression.split("||").map((each) => matches(each, mac)));
  if (expression.includes("&&")) return every(expression.split("&&").map((each) => matches(each, mac)));
  const textOf = (found: RegExpExecArray | null) => found && (found[1] ?? found[2] ?? "");
  for (const form of SAME) {
    const other = textOf(form.exec(expression));
    if (other !== null) return told(other === mac);
  }
  const pattern = textOf(GLOB.exec(expression));
  if (pattern !== null) return told(glob(pattern, mac));
  const name = MAC_NAME.exec(textOf(ALT_NAME.exec(expression)) ?? "")?.[1];
  return name ? told(name === mac.replaceAll(":", "")) : "maybe";
}

function byAlias({ name, match }: LinkAlias, asked: string, mac: string): Told | undefined {
  if (name === asked) return matches(match, mac);
  const [before] = name.split("%d");
  if (!name.endsWith("%d") || !/^\d+$/.test(asked.slice(before!.length)) || !asked.startsWith(before!))
    return undefined;
  // Which number a NIC has depends on the machine's other NICs.
  return matches(match, mac) === "no" ? "no" : "maybe";
}

/** Whether a config means the NIC of a MAC by a choice. A name of the kernel's is only a guess. */
export function covers(choice: LinkChoice, mac: string, { aliases, links }: NodeConfig): Told {
  if ("selector" in choice) return selects(choice.selector, mac);
  const { name } = choice;
  const isVirtual = links.some(
    ({ kind, choice: own }) => kind !== "nic" && "name" in own && own.name === name && name !== "",
  );
  if (isVirtual) return "no";
  const answers = aliases.flatMap((alias) => byAlias(alias, name, mac) ?? []);
  if (answers.length > 0) return some(answers);
  const hex = MAC_NAME.exec(name)?.[1];
  return hex ? told(hex === mac.replaceAll(":", "")) : "maybe";
}

/** MACs in a config that would mean the NIC if Talos did not compare them letter by letter, in lower case with colons. */
export function neverMatching({ links, aliases }: NodeConfig, mac: string): string[] {
  const selectors = links.flatMap(({ choice, members }) =>
    [choice, ...members].flatMap((each) => ("selector" in each ? each.selector : [])),
  );
  const written = [
    ...selectors.flatMap(({ hardwareAddr, permanentAddr }) => [hardwareAddr ?? "", permanentAddr ?? ""]),
    ...aliases.flatMap(({ match }) => [...match.matchAll(/["']([^"']*)["']/g)].map(([, each]) => each!)),
  ];
  return written.filter((each) => each !== mac && each.toLowerCase().replaceAll("-", ":") === mac);
}
