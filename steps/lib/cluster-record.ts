import { readFileSync } from "node:fs";
import { writeWhole } from "./files";
import type { ConfigFacts } from "./machine-config";

/** What is remembered of a stack's cluster when its machine config was checked, for the other stacks of the checkout. */
export interface ClusterRecord extends ConfigFacts {
  joins: boolean;
  /** Every lease that the stack had so far. */
  leases: string[];
}

/** Beside the folder: what is in it are runs of steps. */
const recordIn = (runs: string) => `${runs}.cluster.json`;

/**
 * @param runs the folder that a stack's runs are remembered in
 * @returns undefined when there is none, or none that can be read
 */
export function clusterRecord(runs: string): ClusterRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordIn(runs), "utf8")) as ClusterRecord;
  } catch {
    return undefined;
  }
}

export async function recordCluster(runs: string, record: ClusterRecord): Promise<void> {
  await writeWhole(recordIn(runs), JSON.stringify(record));
}
