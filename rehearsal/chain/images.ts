import { REGISTRY_PORT } from "../../stack/ports";
import type { ServedImage } from "../../steps/contracts/image";
import { sizeWords } from "../timeline/words";
import { lastWords, line, lines, ofMinipc, type View } from "../view";
import { accepted, lacksInstallDisk } from "./acceptance";
import { isSure, type Break, type Milestone, type Sign } from "./milestone";

/** As the demo's node says it (tools/go/talos-config/node-tool/images.go). */
const PULLED = /node: image (\S+): (sha256:[0-9a-f]{64}), \d+ parts/;
const FAILED = /node: image (\S+) FAILED: (.*)/;
const SAID_ALL = /node: images: \d+ of \d+ are here/;
const NODE = /node: kernel \S+ started/;

/** Bytes a second that come over the link at the least, on a slow machine without an accelerator. */
const SLOWEST = 1 << 20;

const LACKING =
  "The images layer lacks it, or was made for another machine config: remove artifacts/cache/images and run pulumi up";
const DAMAGED =
  "The images layer is damaged: remove artifacts/cache/images and the image, and run pulumi up; journalctl -u bootstrap-registry on the appliance's console says more";

/** The path of a request to a registry, in the names of an image (distribution specification, end points). */
function requested(path: string) {
  const [, repository = "", kind = "", reference = ""] =
    /^\/v2\/(.+)\/(manifests|blobs)\/([^/?]+)/.exec(path) ?? [];
  const host = new URLSearchParams(path.split("?")[1]).get("ns");
  const [first = "", ...rest] = repository.split("/");
  // In the appliance's store a host with a port has no colon.
  const isHost = [host, host?.replace(":", "_")].includes(first);
  const name = host === null ? repository : [host, ...(isHost ? rest : [first, ...rest])].join("/");
  return { kind, reference, words: `${name}${reference.includes(":") ? "@" : ":"}${reference}` };
}

type Registry = ReturnType<typeof ofMinipc<"registry">>[number];

/** Whether it came whole: no part of it, and no head alone. */
const isWhole = (what: Registry): what is Extract<Registry, { state: "sent" }> =>
  what.state === "sent" && what.status === 200 && what.bytes > 0;

/** What came whole from the registry, in the order of time. */
const sent = (view: View) =>
  ofMinipc(view, "registry")
    .filter(isWhole)
    .map((what) => ({ ...what, ...requested(what.path) }));

/** The image's manifest as it came over the link, with the digest that it was asked by. */
const manifestOf = (view: View, { digest }: ServedImage) =>
  sent(view).find(({ kind, sha256 }) => kind === "manifests" && digest === `sha256:${sha256}`);

/** The node's word that each part of an image is as its digest says. */
const saysPulled = (view: View, { reference, digest }: ServedImage) =>
  lines(view, "minipc", PULLED).find(({ text }) => {
    const [, name, found] = PULLED.exec(text) ?? [];
    return name === reference && found === digest;
  });

const isPulled = (view: View, image: ServedImage) =>
  saysPulled(view, image) !== undefined && manifestOf(view, image) !== undefined;

const notPulled = (view: View) => (view.expected.images ?? []).filter((image) => !isPulled(view, image));

/** That the demo's node pulled all of them. */
function allPulled(view: View): Sign | undefined {
  const images = view.expected.images ?? [];
  const last = line(view, "minipc", SAID_ALL);
  if (!last || notPulled(view).length > 0) return undefined;
  const bytes = images.reduce((sum, image) => sum + image.bytes, 0);
  return {
    atMs: last.atMs,
    evidence: `its console: all ${images.length}, ${sizeWords(bytes)}, each part as its digest says`,
  };
}

/** Talos pulls one after the other, most of them once it is installed: what it asked for first counts. */
function talosPulls(view: View): Sign | undefined {
  if (line(view, "minipc", NODE)) return undefined;
  const blob = sent(view).find(
    ({ kind, reference, sha256 }) => kind === "blobs" && reference === `sha256:${sha256}`,
  );
  const pulled = (view.expected.images ?? []).filter((image) => manifestOf(view, image));
  if (blob && pulled.length > 0)
    return {
      atMs: blob.atMs,
      evidence: `from the registry: ${pulled.map(({ reference }) => reference).join(", ")}, each as its digest says; Talos asks for the others once it is installed`,
    };
  const { unseenDisk } = view.expected;
  const missing = lacksInstallDisk(view)
    ? lines(view, "minipc", /task install \(.*\): failed/)[0]
    : undefined;
  const end = missing ?? (unseenDisk ? accepted(view) : undefined);
  return (
    end && {
      atMs: end.atMs,
      evidence: `as far as a virtual mini-PC can show: Talos pulls none, since ${unseenDisk ?? "its install disk is no virtual one"}`,
    }
  );
}

/** A connection that is refused, or never answered. */
function notConnected(view: View): Break | undefined {
  const connects = ofMinipc(view, "connect").filter(({ port }) => port === REGISTRY_PORT);
  const has = (wanted: string) => connects.some(({ state }) => state === wanted);
  if (has("accepted")) return undefined;
  if (has("refused"))
    return {
      seen: `the appliance refuses connections to port ${REGISTRY_PORT}`,
      look: "nginx does not listen there: look at the server for images in files/nginx-bootstrap.conf",
    };
  const asked = connects.filter(({ state }) => state === "asked");
  return isSure(asked)
    ? {
        seen: `the mini-PC asked ${asked.length} times for a connection to port ${REGISTRY_PORT} and got no answer`,
        look: `The firewall drops it: look at tcp dport ${REGISTRY_PORT} in files/nftables.conf`,
      }
    : undefined;
}

/** What the registry refused, or sent with other bytes than were asked for. */
function notServed(view: View): Break | undefined {
  for (const what of ofMinipc(view, "registry")) {
    const { kind, reference, words } = requested(what.path);
    if (kind === "") continue;
    if (what.state === "answered" && what.status >= 400)
      return {
        seen: `${words} was answered with the status ${what.status}`,
        look: what.status === 404 ? LACKING : DAMAGED,
        isAnswer: what.status < 500,
      };
    if (isWhole(what) && reference.startsWith("sha256:") && reference !== `sha256:${what.sha256}`)
      return {
        seen: `${words} has other bytes than its digest says (SHA-256 ${what.sha256.slice(0, 12)}…)`,
        look: DAMAGED,
        isAnswer: true,
      };
  }
  return undefined;
}

/** The node's own words of an image that it could not pull, or that it was not told of. */
function nodeFailed(view: View): Break | undefined {
  const failed = line(view, "minipc", FAILED)?.match;
  if (failed) return { seen: `the mini-PC could not pull ${failed[1]}: ${failed[2]}`, look: LACKING };
  const missing = notPulled(view);
  return line(view, "minipc", SAID_ALL) && missing.length > 0
    ? {
        seen: `the mini-PC pulled all that the appliance lists in images.json, and ${missing.map(({ reference }) => reference).join(", ")} is not among it`,
        look: LACKING,
      }
    : undefined;
}

/** The last milestone of an offline stack's chain. */
export const imagesMilestone = (images: ServedImage[]): Milestone => ({
  id: "images",
  title: "the mini-PC has every image that it needs from the appliance",
  side: "minipc",
  limitS: 120 + Math.ceil(images.reduce((sum, { bytes }) => sum + bytes, 0) / SLOWEST),
  reached: (view) => allPulled(view) ?? talosPulls(view),
  broken: (view) => notServed(view) ?? nodeFailed(view) ?? notConnected(view),
  overdue(view) {
    const asked = ofMinipc(view, "registry").length;
    const missing = notPulled(view).map(({ reference }) => reference);
    return asked === 0
      ? {
          seen: `the mini-PC asked the appliance for no image${lastWords(view, "minipc", /node: |image/i)}`,
          look: "The machine config has to name the appliance as a mirror: pulumi preview shows the patch that adds it; read minipc.serial.log",
        }
      : {
          seen: `the mini-PC did not get ${missing.length} of ${images.length} images, ${missing[0]} first${lastWords(view, "minipc", /node: |image/i)}`,
          look: "Read minipc.serial.log, and isolated.pcap for where the transfer stops",
        };
  },
});
