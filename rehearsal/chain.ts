import { accepted } from "./chain/acceptance";
import { APPLIANCE_MILESTONES } from "./chain/appliance";
import { ended, givenUp, restarted } from "./chain/endings";
import { fetched } from "./chain/fetched";
import { imagesMilestone } from "./chain/images";
import type { Break, Milestone } from "./chain/milestone";
import { NETBOOT_MILESTONES } from "./chain/netboot";
import { TALOS_MILESTONES } from "./chain/talos";
import { WAY_IN_MILESTONE } from "./chain/way-in";
import type { Expected, View } from "./view";

/** Every milestone of any stack's chain, in the order in which they are reached. */
const CHAIN: Milestone[] = [
  ...APPLIANCE_MILESTONES,
  ...NETBOOT_MILESTONES,
  ...TALOS_MILESTONES,
  WAY_IN_MILESTONE,
];

/**
 * The first sure sign that a milestone will not be reached. One that is reached is never broken.
 *
 * @param open the milestones that may be reached, or break, now; the first of them is waited for
 */
export function firstBreak(
  view: View,
  open: Milestone[],
): { milestone: Milestone; broken: Break } | undefined {
  // What came to a good end is not judged again by its bad signs.
  const waiting = open.filter((milestone) => !milestone.reached(view));
  for (const milestone of waiting) {
    const broken = milestone.broken?.(view);
    if (broken) return { milestone, broken };
  }
  // Last: what a machine said tells more than that it restarted or is gone.
  const broken = givenUp(view) ?? restarted(view) ?? ended(view, "appliance") ?? ended(view, "minipc");
  return waiting[0] && broken && { milestone: waiting[0], broken };
}

/** The milestones of a chain that may be reached, or break, while the one at `index` is waited for. */
export const openAt = (chain: Milestone[], index: number): Milestone[] =>
  chain.slice(index, chain[index]?.anyOrder ? undefined : index + 1);

/** Whether the mini-PC's screen may show values of its config: Talos quotes those of one that it refuses. */
export const mayShowConfig = (view: View): boolean =>
  fetched(view, /^\/configs\//) !== undefined && accepted(view) === undefined;

/** The milestones that this mini-PC's chain has. */
export function chainFor(expected: Expected): Milestone[] {
  const chain = CHAIN.filter(({ applies }) => applies?.(expected) ?? true);
  return expected.images ? [...chain, imagesMilestone(expected.images)] : chain;
}
