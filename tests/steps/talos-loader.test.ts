import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LOADERS } from "../../stack/talos-releases.cjs";
import { talosConfigs } from "../talos-configs";
import { runStep, testFolder } from "./run-step";

const folder = testFolder();
let number = 0;

/** A worker's config, as the generator of a minor makes it. */
const generated = async (minor: string) =>
  (await talosConfigs({ talosVersion: `v${minor}.0`, endpoint: "https://10.10.10.7:6443" })).worker;

function check(text: string, talosVersion: string) {
  const path = join(folder, `${++number}.yaml`);
  writeFileSync(path, text);
  return runStep("machine-config", {
    path,
    allowPlaintext: true,
    talosVersion,
    minipcIp: "10.10.10.100",
    minipcMac: "52:54:00:12:34:56",
    applianceCidr: "10.10.10.2/24",
  });
}

/** What the loader itself has against a config; the project's own checks come after it. */
async function refusalOf(text: string, talosVersion: string): Promise<string | undefined> {
  const { said } = await check(text, talosVersion);
  return /Talos refuses it: (.*)/.exec(said)?.[1];
}

test("a config is judged by the loader of the stack's own release", async () => {
  const newest = await generated("1.14");
  const { manifest, said } = await check(newest, "v1.14.0");
  expect(manifest).toMatchObject({
    machineType: "worker",
    endpoint: "https://10.10.10.7:6443",
    installImage: "ghcr.io/siderolabs/installer:v1.14.0",
  });
  expect(said).toContain(`accepted by the loader of Talos v${LOADERS["1.14"]}`);
  expect(await refusalOf(newest, "v1.14.0-beta.1")).toBeUndefined();
  expect(await refusalOf(newest, "v1.11.6")).toContain("not registered");
  expect((await check(await generated("1.9"), "v1.9.0")).manifest).toMatchObject({ machineType: "worker" });
});

test("of a release that nothing knows it is judged by the newest loader", async () => {
  expect(await refusalOf(await generated("1.14"), "v1.15.0")).toBeUndefined();
});

test("a version of Kubernetes that the release does not support is refused in one line that names both", async () => {
  const text = (await generated("1.11")).replace(/(kubelet:v)[\d.]+/, "$11.35.0");
  const { manifest, said } = await check(text, "v1.11.0");
  expect(manifest).toBeUndefined();
  expect(said.trim().split("\n")).toEqual([
    expect.stringMatching(
      /Talos refuses it: kubelet image .*version of Kubernetes 1\.35\.0 is too new .* Talos 1\.11\.0/,
    ),
  ]);
});

test("Talos's warnings are shown, and do not fail the check", async () => {
  const text = (await generated("1.11")).replace(
    /( +)wipe: /,
    "$1extensions:\n$1    - image: a/b:v1\n$1wipe: ",
  );
  const { manifest, said } = await check(text, "v1.11.0");
  expect(manifest).toMatchObject({ machineType: "worker" });
  expect(said).toContain("warning: .machine.install.extensions is deprecated");
});
