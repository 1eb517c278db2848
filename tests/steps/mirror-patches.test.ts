import { parseAllDocuments } from "yaml";
import { patched } from "../../steps/talos/config-patch";
import { mirrorPatch, removalPatch } from "../../steps/talos/mirror-patch";
import { readNodeConfig } from "../../steps/talos/read-node-config";
import { talosConfigs } from "../talos-configs";

const HOSTS = ["ghcr.io", "registry.local:5000"];
const AROUND = { applianceCidr: "10.10.10.2/24", tellsTime: true };

test.each(["v1.9.5", "v1.11.6", "v1.14.1"])(
  "Talos's own patching of %s makes the same of the patch as is served, and takes the mirrors away again",
  async (talosVersion) => {
    const plain = (await talosConfigs({ talosVersion })).controlplane;
    const served = { timeServers: ["10.10.10.2"], isPartial: false };
    const patch = mirrorPatch(plain, HOSTS, served, { ...AROUND, talosVersion });
    const here = patched(plain, patch);
    const there = (await talosConfigs({ talosVersion, patches: [patch] })).controlplane;
    for (const text of [here, there])
      expect(readNodeConfig(text)).toMatchObject({
        timeServers: ["10.10.10.2"],
        mirrors: HOSTS.map((registry) => ({ registry, hosts: ["10.10.10.2:5000"] })),
      });
    expect(parseAllDocuments(there)).toHaveLength(parseAllDocuments(here).length);
    const gone = removalPatch(HOSTS, talosVersion);
    const after = (await talosConfigs({ talosVersion, patches: [patch, gone] })).controlplane;
    expect(readNodeConfig(after).mirrors).toEqual([]);
  },
);
