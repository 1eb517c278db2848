import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { inToolEnvironment, TOP } from "../tools";
import { FakeMachine } from "./fake-machine";

const GENERATE = ["generate", "--cluster", "home", "--endpoint", "https://10.10.10.100:6443"].concat(
  ["--talos-version", "v1.11.6", "--install-image", "ghcr.io/siderolabs/installer:v1.11.6"],
  ["--install-disk", "/dev/nvme0n1"],
);
interface Made {
  controlplane: string;
  worker: string;
  talosconfig: string;
}

describe("talos-config, as set-up builds it", () => {
  const run = (args: string[], input = "") => inToolEnvironment("talos-config-1.11", args, { input });
  let made: Made;
  beforeAll(async () => {
    made = JSON.parse((await run(GENERATE)).stdout) as Made;
  });
  const controlPlane = () => parse(made.controlplane) as { cluster: { id: string }; machine: { ca: object } };

  test("makes a config for each kind of machine and a client config, of one cluster", () => {
    expect(parse(made.controlplane)).toMatchObject({
      machine: { type: "controlplane", install: { disk: "/dev/nvme0n1", wipe: false } },
      cluster: { clusterName: "home", controlPlane: { endpoint: "https://10.10.10.100:6443" } },
    });
    expect(parse(made.worker)).toMatchObject({
      machine: { type: "worker" },
      cluster: { id: controlPlane().cluster.id },
    });
    const client = parse(made.talosconfig) as { context: string; contexts: { home: { ca: string } } };
    expect(client.context).toBe("home");
    expect(controlPlane().machine.ca).toMatchObject({ crt: client.contexts.home.ca });
  });

  test("makes more configs of an existing cluster from its control plane's config", async () => {
    const { stdout } = await run([...GENERATE, "--from-control-plane"], made.controlplane);
    expect((JSON.parse(stdout) as Made).controlplane).toBe(made.controlplane);
    const { exitCode, all } = await run([...GENERATE, "--from-control-plane"], made.worker);
    expect([exitCode, all]).toEqual([1, expect.stringContaining("not that of a control plane")]);
  });

  test("applies patches and names for the certificate", async () => {
    const patch = ["--config-patch", "machine: {network: {hostname: nuc1}}", "--additional-sans", "nuc1.lan"];
    const { stdout } = await run([...GENERATE, ...patch]);
    const { controlplane, worker } = JSON.parse(stdout) as Made;
    for (const text of [controlplane, worker])
      expect(parse(text)).toMatchObject({
        machine: { network: { hostname: "nuc1" }, certSANs: ["nuc1.lan"] },
      });
  });

  test("makes what it can for a release later than its own, with a warning", async () => {
    const { exitCode, stdout, stderr } = await run([...GENERATE, "--talos-version", "v9.1.0"]);
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/^warning: .* v1\.11\.6: .* v9\.1$/)]);
    expect(parseAllDocuments((JSON.parse(stdout) as Made).worker)).toHaveLength(1);
  });

  test.each([
    [["generate"], "--cluster is missing"],
    [[...GENERATE, "--endpoint", "10.10.10.100"], "--endpoint 10.10.10.100 is not of the form https://"],
    [[...GENERATE, "--talos-version", "latest"], "--talos-version latest is not of the form v1.11.6"],
    [[...GENERATE, "--disk", "x"], "-disk"],
    [["validate", "--talos-version", "latest"], "--talos-version latest is not of the form v1.11.6"],
    [["validate", "--strict"], "-strict"],
    [["validate", "more"], '"more" is no flag'],
    [["make"], "it takes generate, validate, images or version"],
  ])("says in one line what is wrong with %j", async (args, words) => {
    const { exitCode, stdout, stderr } = await run(args);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(words);
    expect(stderr.split("\n")).toHaveLength(1);
  });

  test("accepts what it made, and refuses a key that Talos does not know", async () => {
    expect(await run(["validate"], made.worker)).toMatchObject({ exitCode: 0, all: "" });
    const refused = await run(["validate"], `${made.worker}sekrits: x\n`);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain("unknown keys found during decoding");
  });
});

describe("talos-config by way of talosctl", () => {
  let machine: FakeMachine;
  beforeEach(() => {
    machine = new FakeMachine();
    const front = readFileSync(join(TOP, "tools/talosctl-as-talos-config.cjs"), "utf8");
    chmodSync(machine.write("programs/talos-config-1.11", front), 0o755);
  });
  afterEach(() => machine.remove());

  /** A talosctl that says what it was asked, and what came in. */
  function withTalosctl(more = ""): void {
    machine.recorded(
      "talosctl-1.11",
      `case "$*" in
"version --client") echo "Tag: v1.11.6";;
"gen secrets"*from-controlplane-config*) echo "secrets of $(cat)" >/dev/stdout;;
"gen secrets"*) echo "new secrets" >/dev/stdout;;
"gen config"*) echo "generating PKI" >&2; echo "$(cat /dev/stdin): $*";;
${more}
esac`,
    );
  }
  const run = (args: string[], input = "") => {
    const PATH = `${machine.path("programs")}:${process.env.PATH}`;
    return spawnSync(machine.path("programs/talos-config-1.11"), args, {
      input,
      encoding: "utf8",
      env: { PATH },
    });
  };

  test("has talosctl make each config with one set of secrets, through pipes only", () => {
    withTalosctl();
    const { status, stdout, stderr } = run([...GENERATE, "--config-patch", "machine: {}"]);
    expect([status, stderr]).toEqual([0, ""]);
    const made = JSON.parse(stdout) as Made;
    for (const [kind, text] of Object.entries(made)) {
      expect(text).toMatch(/^new secrets: gen config home https:\/\/10\.10\.10\.100:6443 /);
      for (const flag of [
        `--output-types ${kind}`,
        "--install-disk /dev/nvme0n1",
        "--config-patch machine: {}",
      ])
        expect(text).toContain(flag);
    }
    expect(Object.keys(made)).toEqual(["controlplane", "worker", "talosconfig"]);
  });

  test("hands on the control plane's config of an existing cluster", () => {
    withTalosctl();
    const { stdout } = run([...GENERATE, "--from-control-plane"], "the old one");
    expect((JSON.parse(stdout) as Made).worker).toMatch(/^secrets of the old one: gen config/);
  });

  test("warns of a release later than talosctl's, and asks for talosctl's own", () => {
    withTalosctl();
    const { status, stdout, stderr } = run([...GENERATE, "--talos-version", "v1.13.0"]);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^warning: .*v1\.11\.6.*v1\.13\n$/)]);
    expect((JSON.parse(stdout) as Made).worker).toContain("--talos-version v1.11.6");
  });

  const images = (...lines: string[]) => `machine:\n  type: controlplane\n${lines.join("\n")}\n`;
  test.each([
    ["the first that it supports", images("    image: ghcr.io/siderolabs/kubelet:v1.29.0"), ""],
    ["the last", images('    image: "registry.k8s.io/kube-apiserver:v1.34.9@sha256:ab" # pinned'), ""],
    [
      "one that is too old",
      images("    image: ghcr.io/siderolabs/kubelet:v1.28.4"),
      "kubelet image ghcr.io/siderolabs/kubelet:v1.28.4: version of Kubernetes 1.28.4 is too old to be used with Talos 1.11.2",
    ],
    [
      "one that is too new",
      images("    image: 'mirror.lan/kube-scheduler:v1.35.0-rc.1'"),
      "kube-scheduler image mirror.lan/kube-scheduler:v1.35.0-rc.1: version of Kubernetes 1.35.0-rc.1 is too new to be used with Talos 1.11.2",
    ],
    [
      "none",
      images("    image: ghcr.io/siderolabs/kubelet@sha256:ab"),
      "has no tag with its version of Kubernetes",
    ],
    ["one in a comment", images("    # image: ghcr.io/siderolabs/kubelet:v1.20.0"), ""],
    ["one of another program", images("    image: ghcr.io/siderolabs/installer:v1.11.6"), ""],
    [
      "a control plane's, in a worker's config",
      "machine: {}\n  type: worker\n  image: a/kube-apiserver:v1.2.0\n",
      "",
    ],
  ])("validate compares Kubernetes with what the release supports: %s", (_what, text, said) => {
    withTalosctl("validate*) cat >/dev/null;;");
    const { status, stderr } = run(["validate", "--talos-version", "v1.11.2"], text);
    expect([status, stderr]).toEqual([said ? 1 : 0, said ? expect.stringContaining(said) : ""]);
  });

  test.each([
    ["validate", 'validate*) cat >/dev/null; echo "WARNING: old" >&2;;', 0, "warning: old\n"],
    ["validate", 'validate*) echo "no such key" >&2; exit 1;;', 1, "no such key\n"],
    ["version", "", 0, ""],
  ])("%s says what talosctl does: %s", (command, talosctl, expected, said) => {
    withTalosctl(talosctl);
    const { status, stderr } = run([command], "machine: {}");
    expect([status, stderr]).toEqual([expected, said]);
  });

  test.each([
    [["generate"], "--cluster is missing"],
    [[...GENERATE, "--endpoint", "10.10.10.100"], "--endpoint 10.10.10.100 is not of the form https://"],
    [[...GENERATE, "--talos-version", "latest"], "--talos-version latest is not of the form v1.11.6"],
    [[...GENERATE, "--disk", "x"], "--disk"],
    [["validate", "--talos-version", "latest"], "--talos-version latest is not of the form v1.11.6"],
    [["validate", "--strict"], "--strict"],
    [["make"], "it takes generate, validate, images or version"],
  ])("says in one line what is wrong with %j", (args, words) => {
    withTalosctl("validate*) cat >/dev/null;;");
    const { status, stdout, stderr } = run(args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(words);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
