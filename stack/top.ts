import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

function folderOfProject(below: string): string {
  return existsSync(join(below, "Pulumi.yaml")) ? below : folderOfProject(dirname(below));
}

/**
 * The checkout's top folder: where steps run, and what paths in config are relative to. It is looked for, since the
 * program runs from its source in a test and from one file under artifacts/ when a stack runs.
 */
export const TOP = folderOfProject(__dirname);
