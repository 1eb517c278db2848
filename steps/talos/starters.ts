import { join } from "node:path";
import { stackFiles } from "../../stack/stack-files";
import { TOP } from "../../stack/top";
import { clusterRecord } from "./cluster-record";

/** Other stacks of the checkout whose mini-PC may start a cluster: its control planes that join none, as last checked. */
export function startersOf(cluster: string, stack: string, top = TOP): string[] {
  return stackFiles(top)
    .map((file) => file.stack)
    .filter((other) => {
      const known = other === stack ? undefined : clusterRecord(join(top, "artifacts/cache/runs", other));
      return cluster !== "" && known?.cluster === cluster && known.machineType !== "worker" && !known.joins;
    });
}
