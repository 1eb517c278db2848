import { start } from "../programs/process";

/** What a debugfs command prints; debugfs(8) ends with 0 whatever happens, so its words count. */
export async function debugfs(filesystem: string, command: string): Promise<string> {
  const { stdout, stderr } = await start("debugfs", ["-R", command, filesystem], { stdin: "ignore" });
  return /File not found|not found by ext2_lookup/.test(stderr) ? "" : stdout;
}

/**
 * The names in a folder of an ext4 file system, which is read without mounting it.
 *
 * @param kind "files": without folders, links and devices
 * @returns none where there is no such folder
 */
export async function namesIn(
  filesystem: string,
  folder: string,
  kind: "all" | "files" = "all",
): Promise<string[]> {
  // debugfs(8), ls -p: /inode/mode/uid/gid/name/size/
  const rows = (await debugfs(filesystem, `ls -p ${folder}`)).split("\n").map((row) => row.split("/"));
  return rows
    .filter(([, , mode = ""]) => kind === "all" || mode.startsWith("100"))
    .map(([, , , , , name = ""]) => name)
    .filter((name) => name && name !== "." && name !== "..");
}
