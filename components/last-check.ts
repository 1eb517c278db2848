import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { clusterRecord, type ClusterRecord } from "../steps/lib/cluster-record";
import { TOP } from "./top";

/** What the stack's machine config said when it was last checked, if that was this very file. */
export function lastCheck(
  encryptedSha256: string,
): Required<Pick<ClusterRecord, "node" | "leases">> | undefined {
  const record = clusterRecord(join(TOP, "artifacts/cache/runs", pulumi.getStack()));
  if (!record?.node || record.encryptedSha256 !== encryptedSha256) return undefined;
  return { node: record.node, leases: record.leases };
}
