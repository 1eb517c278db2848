import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { releaseImages } from "../../stack/talos-images";
import { LOADERS, MINORS } from "../../stack/talos-releases.cjs";
import { makeRedactor } from "../../rehearsal/machines/redact";
import { findingsOf } from "../../steps/talos/findings";
import { readNodeConfig } from "../../steps/talos/read-node-config";
import { refusal } from "../../steps/talos/refusal";
import { casesToRun } from "../in-full";
import { TalosApi } from "../talos-api";
import { inToolEnvironment, TOP } from "../tools";
import { FakeMachine } from "./fake-machine";

type Kind = "controlplane" | "worker";
type Made = Record<Kind | "talosconfig", string>;

/** What `npm test` builds; `npm run test:boots` builds all. */
const NAMED = ["1.9", "1.11", "1.14"];
const minors = casesToRun(LOADERS, NAMED)
  .map(([minor]) => minor)
  .sort((one, other) => MINORS.indexOf(one) - MINORS.indexOf(other));
/** The releases whose configs have what the one before does not know. */
const NEW_FORMS = ["1.12", "1.14"];

/** What a stack says of the link, beside its release. */
const LINK = {
  minipcIp: "10.10.10.100",
  minipcMac: "52:54:00:12:34:ab",
  applianceCidr: "10.10.10.2/24",
  uplink: true,
  joins: false,
};

const program = (minor: string, args: string[], input = "") =>
  inToolEnvironment(`talos-config-${minor}`, args, { input });
const validate = (minor: string, text: string, version = `v${minor}.0`) =>
  program(minor, ["validate", "--talos-version", version], text);
const generated: Record<string, Made> = {};

beforeAll(async () => {
  for (const minor of minors) {
    const version = `v${minor}.0`;
    const args = ["--cluster", "home", "--endpoint", "https://10.10.10.100:6443", "--talos-version", version];
    const install = [
      "--install-image",
      `ghcr.io/siderolabs/installer:${version}`,
      "--install-disk",
      "/dev/sda",
    ];
    const { stdout, stderr } = await program(minor, ["generate", ...args, ...install]);
    expect(stderr).toBe("");
    generated[minor] = JSON.parse(stdout) as Made;
  }
});

/** A config with other versions of Kubernetes. */
const withKubernetes = (text: string, version: string) =>
  text.replace(/((?:kubelet|kube-[a-z-]+):v)[\d.]+/g, `$1${version}`);

// `npm test` has the client of the default release only.
test.each(casesToRun(LOADERS, ["1.11"]))(
  "the client of Talos %s brings a machine of its release up",
  async (minor, release) => {
    const { controlplane, talosconfig } = generated[minor]!;
    const api = await TalosApi.start(controlplane, ["--installing", "1"], { minor });
    const ask = async (command: string): Promise<unknown> => {
      const args = ["--address", api.address, command];
      const { stdout } = await inToolEnvironment(`talos-client-${minor}`, args, { input: talosconfig });
      return JSON.parse(stdout);
    };
    const machine = { version: `v${release}`, type: "controlplane" };
    expect(await ask("status")).toMatchObject({ answer: { ...machine, stage: "installing" } });
    expect(await ask("status")).toMatchObject({ answer: { stage: "booting", ready: false } });
    expect(await ask("bootstrap")).toEqual({ answer: {} });
    expect(await ask("bootstrap")).toMatchObject({ fault: { kind: "exists" } });
    const etcd = { state: "Running", healthy: true };
    expect(await ask("status")).toMatchObject({ answer: { ready: false, services: { etcd } } });
    for (let looks = 0; looks < 3; looks++) await ask("status");
    expect(await ask("status")).toMatchObject({ answer: { stage: "running", ready: true, unmet: [] } });
    expect(await ask("kubeconfig")).toEqual({ answer: { text: "apiVersion: v1\nkind: Config\n" } });
    await api.stop();
  },
);

describe.each(minors)("Talos %s", (minor) => {
  test("has a program that is of its release", async () => {
    expect((await program(minor, ["version"])).stdout).toBe(LOADERS[minor]);
  });

  test("runs the images by itself that this project's table has", async () => {
    const { stdout } = await program(minor, ["images"]);
    const { kubernetes, ...others } = releaseImages(`v${LOADERS[minor]}`);
    const parts = ["apiserver", "controller-manager", "scheduler", "proxy"];
    const ofTable = [
      `ghcr.io/siderolabs/kubelet:v${kubernetes}`,
      ...parts.map((part) => `registry.k8s.io/kube-${part}:v${kubernetes}`),
      ...Object.values(others).filter((image) => image !== undefined),
    ];
    // The installer is talosctl's own; the pause image is containerd's, and in no machinery.
    const own = stdout.split("\n").filter((image) => !/\/(metal-)?installer[:/]/.test(image));
    expect(ofTable).toEqual(expect.arrayContaining(own));
    expect(own).toEqual(expect.arrayContaining(ofTable.filter((image) => !image.includes("/pause:"))));
  });

  test.each<Kind>(["controlplane", "worker"])(
    "accepts what it generates, and it fits the link: %s",
    async (kind) => {
      const text = generated[minor]![kind];
      expect(await validate(minor, text)).toMatchObject({ exitCode: 0, all: "" });
      const refused = await validate(minor, text.replace("type: ", "sekrit: x\n    type: "));
      expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
      expect(refused.stderr).toContain("unknown keys found during decoding");
      // A worker's endpoint is another machine.
      const minipcIp = kind === "worker" ? "10.10.10.101" : LINK.minipcIp;
      const around = { ...LINK, minipcIp, talosVersion: `v${minor}.0` };
      expect(findingsOf(readNodeConfig(text), around)).toEqual([]);
    },
  );

  const kmsg = (url: string) =>
    `---\napiVersion: v1alpha1\nkind: KmsgLogConfig\nname: far\nurl: ${JSON.stringify(url)}\n`;
  test.each<[string, (text: string) => string]>([
    ["a value of the wrong type", (text) => text.replace(/(\n {4}certSANs:).*/, "$1 SECRETVALUE")],
    ["a value of the wrong tag", (text) => text.replace(/(\n {4}certSANs:).*/, '$1 [!!int "SECRETVALUE"]')],
    ["an unknown alias", (text) => text.replace(/(\n {4}certSANs:).*/, "$1 *SECRETVALUE")],
    ["an unknown key", (text) => text.replace(/(\n {4})certSANs:.*/, "$1sekrit: [SECRETVALUE, *x]")],
    [
      "an alias under an unknown key",
      (text) => text.replace(/(\n {4})certSANs:.*/, "$1certSANs: &x [SECRETVALUE]$1sekrit: [{ <<: *x }]"),
    ],
    ["a URL with a token", (text) => text + kmsg("tcp://omni:x/?jointoken=SECRETVALUE")],
    ["a password with a slash", (text) => text + kmsg("tcp://me:SECRETVALUE/x@host:1")],
    ["the discovery's secret", (text) => text.replace(/(\nclusterSecret:).*/, "$1 SECRETVALUE")],
  ])("tells nothing of the value when it refuses %s", async (_what, change) => {
    const text = change(generated[minor]!.controlplane);
    const { stderr, exitCode } = await validate(minor, text);
    expect(refusal(stderr)).not.toContain("SECRET");
    expect(exitCode).toBe(text.includes("SECRET") ? 1 : 0);
    const logged = makeRedactor()(`[   24.0] [talos] ${JSON.stringify({ error: stderr })}`);
    expect(logged).not.toContain("SECRET");
  });

  test("makes more machines of a cluster from its control plane's config", async () => {
    const args = ["--cluster", "home", "--endpoint", "https://10.10.10.100:6443", "--from-control-plane"];
    const install = [
      "--install-image",
      "i:v1",
      "--install-disk",
      "/dev/sda",
      "--talos-version",
      `v${minor}.0`,
    ];
    const { controlplane, worker } = generated[minor]!;
    const { stdout } = await program(minor, ["generate", ...args, ...install], controlplane);
    const secrets = (text: string) =>
      parseAllDocuments(text)
        .map((document) => document.toJS() as { machine?: { token: string } })
        .find(({ machine }) => machine)?.machine?.token;
    expect(secrets((JSON.parse(stdout) as Made).worker)).toBe(secrets(worker));
  });

  test("makes the node-tool read its configs", async () => {
    const { stdout, stderr } = await inToolEnvironment(`node-tool-${minor}`, ["config"], {
      input: generated[minor]!.controlplane,
    });
    expect([stdout, stderr]).toEqual([
      `machine.type=controlplane endpoint=https://10.10.10.100:6443 install.image=ghcr.io/siderolabs/installer:v${minor}.0`,
      "",
    ]);
  });

  test("accepts a partial config, such as one that joins an Omni server, and so does the node-tool", async () => {
    const text = "apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: https://omni.example?jointoken=x\n";
    expect(await validate(minor, text)).toMatchObject({ exitCode: 0, all: "" });
    const read = await inToolEnvironment(`node-tool-${minor}`, ["config"], { input: text });
    expect(read.all).toBe("machine.type=unknown endpoint= install.image=");
  });

  test.each(minors)("judges the configs of Talos %s as it can", async (other) => {
    const [own, its] = [MINORS.indexOf(minor), MINORS.indexOf(other)];
    const isBeyond = NEW_FORMS.some((form) => own < MINORS.indexOf(form) && MINORS.indexOf(form) <= its);
    const { exitCode } = await program(minor, ["validate"], generated[other]!.controlplane);
    expect(exitCode).toBe(isBeyond ? 1 : 0);
  });

  describe("and Kubernetes", () => {
    let machine: FakeMachine;
    beforeEach(() => {
      machine = new FakeMachine();
      const front = readFileSync(join(TOP, "tools/talosctl-as-talos-config.cjs"), "utf8");
      chmodSync(machine.write(`programs/talos-config-${minor}`, front), 0o755);
      machine.program(`talosctl-${minor}`, "exec cat >/dev/null");
    });
    afterEach(() => machine.remove());

    /** Both programs' words on a config. */
    const judged = async (text: string) => {
      const args = ["validate", "--talos-version", `v${minor}.0`];
      const { exitCode, stderr } = await program(minor, args, text);
      const byTable = spawnSync(machine.path("programs", `talos-config-${minor}`), args, {
        input: text,
        encoding: "utf8",
      });
      expect([byTable.status, byTable.stderr.trim()]).toEqual([exitCode, stderr]);
      return stderr;
    };

    test("supports six minor releases, and this project's table for talosctl has the same", async () => {
      const versions = Array.from({ length: 13 }, (_, at) => `1.${26 + at}.${at}`);
      const said: string[] = [];
      for (const version of versions)
        said.push(await judged(withKubernetes(generated[minor]!.controlplane, version)));
      expect(said.filter((words) => words === "")).toHaveLength(6);
      for (const words of said.filter(Boolean))
        expect(words).toMatch(
          /^kubelet image .*; kube-scheduler image \S+ version of Kubernetes 1\.\d+\.\d+ is too /,
        );
    });

    test("is named where it is too old for a worker", async () => {
      expect(await judged(withKubernetes(generated[minor]!.worker, "1.20.3"))).toBe(
        `kubelet image ghcr.io/siderolabs/kubelet:v1.20.3: version of Kubernetes 1.20.3 is too old to be used with Talos ${minor}.0`,
      );
    });

    test("has to be in the image's tag", async () => {
      const pinned = generated[minor]!.worker.replace(/(kubelet):v[\d.]+/, "$1@sha256:ab");
      expect(await judged(pinned)).toMatch(
        /^kubelet image "ghcr.io\/siderolabs\/kubelet@sha256:ab" has no tag /,
      );
    });
  });
});

test("the newest loader says nothing of the Kubernetes of a release that it does not know", async () => {
  const newest = MINORS.at(-1)!;
  const text = withKubernetes(generated[newest]!.worker, "1.99.0");
  expect(await validate(newest, text, "v1.99.0")).toMatchObject({ exitCode: 0, all: "" });
  expect(await validate(newest, text)).toMatchObject({ exitCode: 1 });
});
