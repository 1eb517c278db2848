import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { clusterRecord, type ClusterRecord } from "../steps/talos/cluster-record";
import { TOP } from "../stack/top";

/** What the stack's machine config said when it was last checked, if that was this very file, read by this very program. */
export function lastCheck({
  encryptedSha256,
  code,
}: Required<Pick<ClusterRecord, "encryptedSha256" | "code">>): ClusterRecord | undefined {
  const record = clusterRecord(join(TOP, "artifacts/cache/runs", pulumi.getStack()));
  return record?.encryptedSha256 === encryptedSha256 && record.code === code ? record : undefined;
}
