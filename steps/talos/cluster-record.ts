import { readFileSync } from "node:fs";
import { writeWhole } from "../store/files";
import type { NodeConfig } from "./node-config";

/**
 * What is remembered of a stack's machine config when it was checked: for the other stacks of the checkout, and for a
 * preview, which decrypts nothing.
 */
export interface ClusterRecord extends Pick<NodeConfig, "machineType" | "endpoint" | "cluster"> {
  /** Reference of the installer's image; empty where Talos takes its own. */
  installImage: string;
  /** What the config says, of which encrypted file, and the digest of the program that read it. */
  node: NodeConfig;
  encryptedSha256?: string;
  code?: string;
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
