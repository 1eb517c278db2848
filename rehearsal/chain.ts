import { accepted } from "./chain/acceptance";
import { APPLIANCE_LINKS } from "./chain/appliance";
import { ended, givenUp, restarted } from "./chain/endings";
import { fetched } from "./chain/fetched";
import { imagesLink } from "./chain/images";
import type { Break, ChainLink } from "./chain/link";
import { NETBOOT_LINKS } from "./chain/netboot";
import { TALOS_LINKS } from "./chain/talos";
import type { Expected, View } from "./view";

/** Every link of any stack's chain, in the order in which they are reached. */
const CHAIN: ChainLink[] = [...APPLIANCE_LINKS, ...NETBOOT_LINKS, ...TALOS_LINKS];

/**
 * The first sure sign that a link will not be reached. A link that is reached is never broken.
 *
 * @param open the links that may be reached, or break, now; the first of them is waited for
 */
export function firstBreak(view: View, open: ChainLink[]): { link: ChainLink; broken: Break } | undefined {
  // What came to a good end is not judged again by its bad signs.
  const waiting = open.filter((link) => !link.reached(view));
  for (const link of waiting) {
    const broken = link.broken?.(view);
    if (broken) return { link, broken };
  }
  // Last: what a machine said tells more than that it restarted or is gone.
  const broken = givenUp(view) ?? restarted(view) ?? ended(view, "appliance") ?? ended(view, "minipc");
  return waiting[0] && broken && { link: waiting[0], broken };
}

/** The links of a chain that may be reached, or break, while the one at `index` is waited for. */
export const openAt = (chain: ChainLink[], index: number): ChainLink[] =>
  chain.slice(index, chain[index]?.anyOrder ? undefined : index + 1);

/** Whether the mini-PC's screen may show values of its config: Talos quotes those of one that it refuses. */
export const mayShowConfig = (view: View): boolean =>
  fetched(view, /^\/configs\//) !== undefined && accepted(view) === undefined;

/** The links that this mini-PC's chain has. */
export function chainFor(expected: Expected): ChainLink[] {
  const chain = CHAIN.filter(({ applies }) => applies?.(expected) ?? true);
  return expected.images ? [...chain, imagesLink(expected.images)] : chain;
}
