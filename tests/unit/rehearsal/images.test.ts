import { chainFor, firstBreak, openAt } from "../../../rehearsal/chain";
import { imagesMilestone } from "../../../rehearsal/chain/images";
import { hearDetours, imagesFromApplianceAlone, nameAsked } from "../../../rehearsal/detours";
import { ACK, SYN, tcpFrame, udpFrame } from "../../../rehearsal/network/packets";
import type { Expected } from "../../../rehearsal/view";
import type { ServedImage } from "../../../steps/contracts/image";
import type { What } from "../../../rehearsal/network/seen";

const MAC = "52:54:00:12:34:56";
const NIC = "02:00:5e:00:53:11";
const hex = (digit: string) => digit.repeat(64);
const image = (reference: string, digit: string): ServedImage => {
  const [repository = "", tag = ""] = reference.split(/:(?=[^:]*$)/);
  return { reference, repository, tag, digest: `sha256:${hex(digit)}`, bytes: 4 << 20 };
};
const kubelet = image("ghcr.io/siderolabs/kubelet:v1.34.1", "a");
const pause = image("registry.k8s.io/pause:3.10", "b");
const images = [kubelet, pause];
const expected: Expected = {
  minipcMac: MAC,
  minipcIp: "10.10.10.100",
  applianceIp: "10.10.10.2",
  isolatedNic: NIC,
  kernelArguments: [],
  configSha256: "c0ff",
  hasSerialConsole: true,
  images,
};

const line = (text: string): What => ({
  ...{ kind: "line", machine: "minipc" },
  text: `[   61.2] ${text}`,
});
const asked = (path: string, rest: object): What =>
  ({ link: "isolated", kind: "registry", mac: MAC, path, ...rest }) as What;
const sent = (path: string, sha256: string) =>
  asked(path, { state: "sent", status: 200, bytes: 500, sha256 });
const manifest = ({ repository, digest }: ServedImage) =>
  sent(`/v2/${repository}/manifests/${digest}?ns=${repository.split("/")[0]}`, digest.slice(7));
const pulled = ({ reference, digest }: ServedImage) =>
  line(`node: image ${reference}: ${digest}, 3 parts, 4194304 bytes, each as its digest says`);
const node = line("node: kernel 6.1.0 started");
const all = line("node: images: 2 of 2 are here");
const talosFails = line("[talos] task install (1/1): failed: lstat /dev/vda: no such file or directory");
const connect = (state: "asked" | "accepted" | "refused", port = 5000): What => ({
  ...{ link: "isolated", kind: "connect", mac: MAC },
  ...{ port, state },
});

const view = (whats: What[], served = images) => ({
  seen: whats.map((what, index) => ({ atMs: index * 1000, ...what })),
  expected: { ...expected, images: served },
});
const milestone = imagesMilestone(images);
const GOOD = [node, manifest(kubelet), pulled(kubelet), manifest(pause), pulled(pause), all];

test("a stack that is not offline has no milestone for images, and an offline one has it last", () => {
  expect(chainFor({ ...expected, images: undefined }).map(({ id }) => id)).not.toContain("images");
  expect(chainFor(expected).at(-1)?.id).toBe("images");
});

test("all images are there when the node has said so of each, and each manifest went over the link", () => {
  expect(milestone.reached(view(GOOD))).toEqual({
    atMs: 5000,
    evidence: "its console: all 2, 8.0 MiB, each part as its digest says",
  });
  GOOD.slice(1).forEach((_what, left) =>
    expect(milestone.reached(view(GOOD.filter((_each, index) => index !== left + 1)))).toBeUndefined(),
  );
});

test("another digest than the stack's own does not count, whatever the node says", () => {
  const other = { ...pause, digest: `sha256:${hex("c")}` };
  const seen = GOOD.map((what) => (what === pulled(pause) ? pulled(other) : what));
  seen[3] = manifest(other);
  seen[4] = pulled(other);
  expect(milestone.reached(view(seen))).toBeUndefined();
});

test("real Talos's own pulls count by what went over the link", () => {
  const blob = sent(`/v2/siderolabs/kubelet/blobs/sha256:${hex("d")}?ns=ghcr.io`, hex("d"));
  expect(milestone.reached(view([manifest(kubelet), blob]))?.evidence).toMatch(
    /^from the registry: ghcr\.io\/siderolabs\/kubelet:v1\.34\.1, each/,
  );
  expect(milestone.reached(view([manifest(kubelet)]))).toBeUndefined();
  expect(milestone.reached(view([talosFails]))?.evidence).toMatch(/its install disk is no virtual one/);
  expect(milestone.reached(view([node, talosFails]))).toBeUndefined();
});

test.each<[what: string, seen: What[], says: RegExp]>([
  [
    "an image is not there",
    [
      asked("/v2/registry.k8s.io/pause/manifests/3.10?ns=registry.k8s.io", {
        state: "answered",
        status: 404,
      }),
    ],
    /^registry\.k8s\.io\/pause:3\.10 was answered with the status 404$/,
  ],
  [
    "an image is not there, and its registry is in the question alone",
    [asked("/v2/pause/manifests/3.10?ns=registry.k8s.io", { state: "answered", status: 404 })],
    /^registry\.k8s\.io\/pause:3\.10 was answered/,
  ],
  [
    "an image of a registry with a port is not there",
    [
      asked("/v2/registry.local_5000/x/manifests/1?ns=registry.local%3A5000", {
        state: "answered",
        status: 404,
      }),
    ],
    /^registry\.local:5000\/x:1 was answered/,
  ],
  [
    "a part of an image cannot be read",
    [asked(`/v2/ghcr.io/x/blobs/sha256:${hex("d")}`, { state: "answered", status: 500 })],
    /^ghcr\.io\/x@sha256:d+ was answered with the status 500$/,
  ],
  [
    "a part of an image has other bytes",
    [sent(`/v2/ghcr.io/x/blobs/sha256:${hex("d")}`, hex("e"))],
    /^ghcr\.io\/x@sha256:d+ has other bytes than its digest says \(SHA-256 eeeeeeeeeeee…\)$/,
  ],
  [
    "the node could not pull one",
    [node, line('node: image ghcr.io/x:1 FAILED: Head "https://ghcr.io/v2/": no such host')],
    /^the mini-PC could not pull ghcr\.io\/x:1: Head "https:/,
  ],
  [
    "the layer lists fewer than the stack has",
    [node, manifest(kubelet), pulled(kubelet), line("node: images: 1 of 1 are here")],
    /in images\.json, and registry\.k8s\.io\/pause:3\.10 is not among it/,
  ],
  ["nothing listens", [connect("asked"), connect("refused")], /refuses connections to port 5000/],
  [
    "the firewall drops the questions",
    [connect("asked"), connect("asked"), connect("asked")],
    /asked 3 times for a connection to port 5000/,
  ],
])("%s: that is the break", (_what, seen, says) => {
  const chain = chainFor(expected);
  const open = openAt(chain, chain.length - 1);
  expect(firstBreak(view(seen), open)).toMatchObject({ milestone: { id: "images" } });
  expect(firstBreak(view(seen), open)?.broken.seen).toMatch(says);
});

test("what is no sign of a fault breaks nothing, and a delay is described", () => {
  const harmless = [
    connect("asked"),
    connect("refused", 80),
    sent("/v2/", hex("f")),
    asked("/v2/ghcr.io/x/referrers/1", { state: "answered", status: 404 }),
  ];
  expect(milestone.broken?.(view(harmless))).toBeUndefined();
  expect(milestone.overdue(view([node])).seen).toMatch(/asked the appliance for no image; .*node: kernel/);
  expect(milestone.overdue(view(GOOD.slice(0, 4))).seen).toMatch(
    /1 of 2 images, registry\.k8s\.io\/pause:3\.10 first/,
  );
});

test("larger images may take longer", () => {
  expect(imagesMilestone([{ ...kubelet, bytes: 600 << 20 }]).limitS).toBe(720);
});

describe("the proof that the mini-PC looks nowhere else", () => {
  const route = { fromMac: MAC, toMac: NIC, from: "10.10.10.100", to: "10.10.10.2" };
  /** A question for an address (RFC 1035). */
  const question = (name: string) =>
    Buffer.concat([
      Buffer.from("beef01000001000000000000", "hex"),
      ...name
        .split(".")
        .map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, "latin1")),
      Buffer.from("0000010001", "hex"),
    ]);
  const head = { fromPort: 40000, toPort: 443, sequence: 1, acknowledged: 0, flags: SYN };

  function heard(...frames: Buffer[]): string[] {
    let hear: (frame: Buffer) => void = () => undefined;
    const isolated = { onFrame: (listener: typeof hear) => void (hear = listener) };
    const detours = hearDetours({ minipcMac: MAC, applianceIp: "10.10.10.2", images, isolated });
    frames.forEach((frame) => hear(frame));
    return detours;
  }

  test.each<[what: string, frame: Buffer, heard: string[]]>([
    ["a registry's name", udpFrame(route, 40000, 53, question("GHCR.io")), ["a question for ghcr.io"]],
    [
      "a host of a registry",
      udpFrame(route, 40000, 53, question("prod.registry.k8s.io")),
      ["a question for prod.registry.k8s.io"],
    ],
    ["another name", udpFrame(route, 40000, 53, question("discovery.talos.dev")), []],
    ["another host", tcpFrame({ ...route, to: "192.0.2.9" }, head), ["a connection to 192.0.2.9:443"]],
    ["the appliance", tcpFrame(route, { ...head, toPort: 5000 }), []],
    ["an answer", tcpFrame({ ...route, to: "192.0.2.9" }, { ...head, flags: SYN | ACK }), []],
    ["another machine", tcpFrame({ ...route, fromMac: "02:00:5e:00:53:01", to: "192.0.2.9" }, head), []],
    ["what is cut short", udpFrame(route, 40000, 53, Buffer.from([1, 2])), []],
  ])("hears %s", (_what, frame, words) => {
    expect(heard(frame)).toEqual(words);
  });

  test("holds when nothing was heard, and names what was", () => {
    expect(imagesFromApplianceAlone([])).toMatchObject({ id: "images-alone", held: true });
    const broken = imagesFromApplianceAlone(["a question for ghcr.io", "a question for ghcr.io"]);
    expect(broken).toMatchObject({ held: false });
    expect(broken.evidence).toMatch(/: a question for ghcr\.io$/);
  });

  test("a name that points back into its message ends there", () => {
    const looped = Buffer.concat([question("a").subarray(0, 14), Buffer.from([0xc0, 12])]);
    expect(nameAsked(looped)).toBe("a");
  });
});
