import { KEEP_MOUNTS, OWN_MOUNTS } from "./own-mounts";

/**
 * The command line that runs a program where a folder is a file system of its own, in a mount namespace that ends with it.
 * The folder is made if it is not there; a mount that fails ends with status 99.
 *
 * @param kib its size
 * @param command the program, then its arguments
 */
export function onSmallDisk(
  kib: number,
  folder: string,
  command: string[],
): [program: string, args: string[]] {
  const script = `${KEEP_MOUNTS} mkdir -p "$1" && mount -t tmpfs -o size=${kib}k,mode=755 tmpfs "$1" || exit 99
    folder=$1; shift; "$@"; status=$?; umount --lazy "$folder"; exit "$status"`;
  return ["unshare", [...OWN_MOUNTS, "--", "sh", "-c", script, "sh", folder, ...command]];
}
