import { parseAllDocuments } from "yaml";
import { patched } from "../../../steps/talos/config-patch";
import { mirrorPatch } from "../../../steps/talos/mirror-patch";
import { readNodeConfig } from "../../../steps/talos/read-node-config";
import { needsTime, servedNode } from "../../../steps/talos/served-node";
import type { Surroundings } from "../../../steps/talos/surroundings";
import { AROUND, edited, made, RELEASES, withDocuments } from "./cases";

const HOSTS = ["ghcr.io", "registry.local:5000"];

function patchOf(text: string, talosVersion: string, more: Partial<Surroundings> = {}) {
  const around = { ...AROUND, uplink: false, offline: true, talosVersion, ...more };
  const node = readNodeConfig(text);
  return mirrorPatch(text, HOSTS, servedNode(node, around), {
    ...around,
    tellsTime: needsTime(node, around),
  });
}

const documentsOf = (text: string) => parseAllDocuments(text).map((each) => each.toJS() as object);

test("up to 1.11 the mirrors are sections, from 1.12 on documents; a port has no colon in the mirror's path", () => {
  expect(patchOf(made("v1.11.6"), "v1.11.6")).toBe(`machine:
  registries:
    mirrors:
      ghcr.io:
        endpoints:
          - http://10.10.10.2:5000/v2/ghcr.io
        overridePath: true
        skipFallback: true
      registry.local:5000:
        endpoints:
          - http://10.10.10.2:5000/v2/registry.local_5000
        overridePath: true
        skipFallback: true
`);
  expect(patchOf(made("v1.12.6"), "v1.12.6")).toBe(`apiVersion: v1alpha1
kind: RegistryMirrorConfig
name: ghcr.io
endpoints:
  - url: http://10.10.10.2:5000/v2/ghcr.io
    overridePath: true
skipFallback: true
---
apiVersion: v1alpha1
kind: RegistryMirrorConfig
name: registry.local:5000
endpoints:
  - url: http://10.10.10.2:5000/v2/registry.local_5000
    overridePath: true
skipFallback: true
`);
});

test.each(RELEASES)(
  "a config of %s keeps all that it says beside the mirrors, and its comments",
  (release) => {
    const text = `# mine\n${made(release)}`;
    const served = patched(text, patchOf(text, release));
    expect(served).toMatch(/^# mine\n/);
    const [before, after] = [documentsOf(text), documentsOf(served)];
    expect(after).toEqual(expect.arrayContaining(before.slice(1)));
    expect(after[0]).toMatchObject(before[0]!);
    const { mirrors } = readNodeConfig(served);
    expect(mirrors.map(({ registry, hosts }) => [registry, hosts])).toEqual(
      HOSTS.map((host) => [host, ["10.10.10.2:5000"]]),
    );
    expect(patched(served, patchOf(text, release))).toBe(served);
  },
);

test("mirrors that the config has of the same registry give way, and others stay", () => {
  const mirrors = { "ghcr.io": { endpoints: ["https://old"] }, "quay.io": { endpoints: ["https://other"] } };
  const sections = edited(made("v1.11.6"), { "machine.registries.mirrors": mirrors });
  const documents = withDocuments(
    ...["ghcr.io", "quay.io"].map((name) => ({
      kind: "RegistryMirrorConfig",
      name,
      endpoints: [{ url: "https://old" }],
    })),
  );
  for (const [text, version] of [
    [sections, "v1.11.6"],
    [documents, "v1.14.1"],
  ] as const) {
    const node = readNodeConfig(patched(text, patchOf(text, version)));
    const hosts = Object.fromEntries(node.mirrors.map((mirror) => [mirror.registry, mirror.hosts]));
    expect(hosts["ghcr.io"]).toEqual(["10.10.10.2:5000"]);
    expect(hosts["quay.io"]).toHaveLength(1);
    expect(node.mirrors).toHaveLength(3);
  }
});

test("a mirror that another registry's stands for by an alias stays that one's", () => {
  const text = edited(made("v1.11.6"), { "machine.registries": "HERE" }).replace(
    "registries: HERE",
    `registries:
    mirrors:
      ghcr.io: &mine { endpoints: &urls ["https://mine.example.com"] }
      quay.io: *mine
      docker.io: { endpoints: *urls }`,
  );
  const { mirrors } = readNodeConfig(patched(text, patchOf(text, "v1.11.6")));
  const hosts = Object.fromEntries(mirrors.map((mirror) => [mirror.registry, mirror.hosts]));
  expect(hosts).toMatchObject({ "ghcr.io": ["10.10.10.2:5000"], "quay.io": ["mine.example.com"] });
  expect(hosts["docker.io"]).toEqual(["mine.example.com"]);
});

test.each([
  ["v1.11.6", edited(made("v1.11.6"), { "machine.time": { servers: ["time.example.com"] } })],
  ["v1.12.6", edited(made("v1.12.6"), { "machine.time": { servers: ["time.example.com"] } })],
  ["v1.14.1", withDocuments({ kind: "TimeSyncConfig", ntp: { servers: ["time.example.com"] } })],
])(
  "a time server of %s that is not reached comes after the appliance, where the config says it",
  (version, text) => {
    const served = patched(text, patchOf(text, version));
    expect(readNodeConfig(served).timeServers).toEqual(["10.10.10.2", "time.example.com"]);
    expect(served.match(/time\.example\.com/g)).toHaveLength(1);
    const reached = patchOf(text, version, { uplink: true });
    expect(readNodeConfig(patched(text, reached)).timeServers).toEqual(["time.example.com"]);
  },
);

test("a static lease brings no time server along, so the patch names one", () => {
  const text = withDocuments(
    {
      kind: "LinkAliasConfig",
      name: "net0",
      selector: { match: 'mac(link.permanent_addr) == "52:54:00:12:34:ab"' },
    },
    { kind: "LinkConfig", name: "net0", addresses: [{ address: "10.10.10.100/24" }] },
  );
  expect(readNodeConfig(patched(text, patchOf(text, "v1.14.1"))).timeServers).toEqual(["10.10.10.2"]);
});

test("what the config says beside the patch stays as it is written, in numbers that YAML 1.1 and Go read otherwise", () => {
  const lines = [
    "permissions: 0644",
    "serial: 12345678901234567890",
    "mask: 0x1F",
    "name: +5",
    "version: 1.10",
    "time: 1e3",
    "0777: yes",
    "nothing:",
    "copied: &mode { permissions: 0600 }",
  ];
  const text = `${lines.join("\n")}\nagain: *mode\n`;
  const served = patched(text, "machine:\n  seen: true\n").split("\n");
  for (const line of lines.slice(0, -1)) expect(served).toContain(line);
  expect(served).toEqual(
    expect.arrayContaining(["copied: { permissions: 0600 }", "again: { permissions: 0600 }"]),
  );
  expect(served.join("\n")).toContain("machine:\n  seen: true\n");
});

test("a config without a patch is served as it is, byte by byte", () => {
  const text = "a:   1 # odd\n";
  expect(patched(text, "")).toBe(text);
});
