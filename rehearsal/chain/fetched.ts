import { WEB_PORT } from "../../stack/ports";
import { sizeWords } from "../timeline/words";
import { ofMinipc, lines, lastWords, type View } from "../view";
import { ENOUGH, isSure, type Break, type Milestone } from "./milestone";

/** A file that the mini-PC got whole by HTTP. */
export const fetched = (view: View, path: RegExp) =>
  ofMinipc(view, "http").find(
    (what): what is typeof what & { state: "sent" } =>
      what.state === "sent" && what.status === 200 && path.test(what.path),
  );

/** Why a file did not come by HTTP, if that is sure. */
export function notFetched(view: View, path: RegExp, look: string): Break | undefined {
  const refused = ofMinipc(view, "http").find(
    (what) => what.state === "answered" && what.status >= 400 && path.test(what.path),
  );
  if (refused && "status" in refused)
    return {
      seen: `${refused.path} was answered with the status ${refused.status}`,
      look,
      isAnswer: refused.status < 500,
    };
  const connects = ofMinipc(view, "connect").filter(({ port }) => port === WEB_PORT);
  if (
    connects.some(({ state }) => state === "refused") &&
    !connects.some(({ state }) => state === "accepted")
  )
    return {
      seen: "the appliance refuses connections to port 80",
      look: "nginx does not listen on the isolated address: look at files/nginx-bootstrap.conf",
    };
  const asked = connects.filter(({ state }) => state === "asked");
  if (isSure(asked) && !connects.some(({ state }) => state === "accepted"))
    return {
      seen: `the mini-PC asked ${asked.length} times for a connection to port 80 and got no answer`,
      look: "The firewall drops it: look at tcp dport 80 in files/nftables.conf",
    };
  return undefined;
}

/** As {@link notFetched}, and what iPXE and boot.ipxe say on the console. */
export function notLoaded(view: View, path: RegExp, look: string): Break | undefined {
  const answered = notFetched(view, path, look);
  if (answered) return answered;
  const empty = ofMinipc(view, "http").find(
    (what) => what.state === "sent" && what.bytes === 0 && what.status === 200 && path.test(what.path),
  );
  if (empty && "path" in empty) return { seen: `${empty.path} is served, but empty`, look, isAnswer: true };
  // It tries again after some seconds, so one failure is no sure sign.
  const failed = lines(view, "minipc", /bootstrap-pxe: that failed/).length;
  if (failed < ENOUGH) return undefined;
  return {
    seen: `boot.ipxe failed ${failed} times${lastWords(view, "minipc", /https?:\/\/ipxe\.org|that failed/)}`,
    look,
  };
}

export const NETBOOT =
  "Look at the netboot layer: remove artifacts/cache/netboot and run pulumi up; isoUrl and talosVersion name its source";

/** @param after what iPXE has before it, in words */
export function loadedFile(id: string, title: string, path: RegExp, after: string): Milestone {
  return {
    id,
    title,
    side: "minipc",
    limitS: 120,
    reached(view) {
      const file = fetched(view, path);
      return file && file.bytes > 0
        ? {
            atMs: file.atMs,
            evidence: `GET ${file.path}: 200, ${sizeWords(file.bytes)}, SHA-256 ${file.sha256.slice(0, 12)}…`,
          }
        : undefined;
    },
    broken: (view) => notLoaded(view, path, NETBOOT),
    overdue(view) {
      const said = lastWords(view, "minipc", /bootstrap-pxe|ipxe/i);
      return ofMinipc(view, "http").some((what) => path.test(what.path))
        ? {
            seen: `the mini-PC did not fetch it to its end${said}`,
            look: "Read minipc.serial.log, and isolated.pcap for where the transfer stops",
          }
        : {
            seen: `iPXE has ${after} and did not ask for it${said}`,
            look: "Read minipc.serial.log for a command that failed, and look at files/boot.ipxe up to that line",
          };
    },
  };
}
