import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { imagesLayer, writeImagesLayer } from "../images-layer";
import { TOP } from "../tools";
import { play } from "./link-hosts";
import { testFolder } from "./run-step";

const folder = testFolder();
const [KUBELET, PAUSE, ETCD] = [
  "ghcr.io/siderolabs/kubelet:v1",
  "registry.local:5000/pause:3",
  "gcr.io/etcd:3",
] as const;
const layer = imagesLayer([KUBELET, PAUSE, ETCD], [ETCD]);
writeImagesLayer(layer, join(folder, "images"));

/** As Talos up to 1.11 names mirrors, with a path of its own and without; and as Talos names them since. */
const CONFIG = `
machine:
  registries:
    mirrors:
      ghcr.io: { endpoints: ["http://10.10.10.2:5000/v2/ghcr.io"], overridePath: true, skipFallback: true }
      registry.local:5000: { endpoints: ["http://10.10.10.2:5000"], skipFallback: true }
---
apiVersion: v1alpha1
kind: RegistryMirrorConfig
name: gcr.io
endpoints: [{ url: "http://10.10.10.2:5000/v2/gcr.io", overridePath: true }]
skipFallback: true
`;
writeFileSync(join(folder, "config.yaml"), CONFIG);

/** The registry and nginx as the appliance has them but for their users. */
const REGISTRY = `
mount -t tmpfs none /run; mount -t tmpfs none /srv
mkdir -p /run/bootstrap-registry /srv/images; mount --bind -o ro images /srv/images
docker-registry serve ${TOP}/packer/appliance/registry.yml >registry.log 2>&1 & daemons="$daemons $!"
sed -i '/_log syslog/d; s/listen .*;/& access_log off;/' nginx-bootstrap.conf
echo "user root; error_log /dev/null; pid /run/nginx.pid; worker_processes 1; events { } http { $(printf '%s_temp_path /run/%s; ' client_body x proxy x fastcgi x uwsgi x scgi x) include $PWD/nginx-bootstrap.conf; }" >nginx.conf
nginx -e stderr -g 'daemon off;' -c $PWD/nginx.conf >/dev/null 2>&1 & daemons="$daemons $!"
await 'in_pc curl -sf -m 60 -o /dev/null http://10.10.10.2:5000/v2/'
`;

const serve = (acts: string) => play(folder, REGISTRY + acts, {}, { offline: true });

test("every image is served to the lease, by each form of a mirror in a machine config, and one that is missing is named", async () => {
  const said = await serve("in_pc node-tool-1.11 images <config.yaml");
  const [kubelet, pause, etcd] = layer.images;
  expect(said.split("\n")).toEqual([
    `image ${KUBELET}: ${kubelet?.digest}, 3 parts, ${kubelet?.bytes} bytes, each as its digest says`,
    `image ${PAUSE}: ${pause?.digest}, 3 parts, ${pause?.bytes} bytes, each as its digest says`,
    `image ${ETCD} FAILED: HEAD http://10.10.10.2:5000/v2/gcr.io/etcd/manifests/${etcd?.tag}?ns=gcr.io: 404 Not Found`,
    "images: 2 of 3 are here",
  ]);
});

test("a registry's host may be in the path or in the question, with its port in any form", async () => {
  const asked: [path: string, status: number][] = [
    ["ghcr.io/siderolabs/kubelet/manifests/v1", 200],
    ["ghcr.io/siderolabs/kubelet/manifests/v1?ns=GHCR.io", 200],
    ["siderolabs/kubelet/manifests/v1?ns=ghcr.io", 200],
    ["siderolabs/kubelet/manifests/v1", 404],
    ["siderolabs/kubelet/manifests/v1?ns=quay.io", 404],
    ["registry.local:5000/pause/manifests/3", 200],
    ["registry.local:5000/pause/manifests/3?ns=registry.local%3A5000", 200],
    ["registry.local_5000/pause/manifests/3?ns=registry.local%3A5000", 200],
    ["pause/manifests/3?ns=registry.local%3A5000", 200],
    ["pause/manifests/3?ns=registry.local:5000", 200],
  ];
  const urls = asked.map(([path]) => `'http://10.10.10.2:5000/v2/${path}'`).join(" ");
  const ask = `curl -s -m 300 -o /dev/null -w '%{http_code}\\n' -H 'Accept: application/vnd.oci.image.manifest.v1+json'`;
  const said = await serve(`for url in ${urls}; do in_pc ${ask} "$url"; done`);
  expect(said.split("\n")).toEqual(asked.map(([, status]) => String(status)));
});

test("nobody but the lease is answered, and nothing can be written", async () => {
  const url = "http://10.10.10.2:5000/v2/";
  const upload = `${url}ghcr.io/siderolabs/kubelet/blobs/uploads/`;
  const said = await serve(`
curl_in() { who=$1; shift; nsenter -t $who -n curl -s -m 300 -o /dev/null -w '%{http_code}\\n' "$@" || true; }
curl_in $pc ${url}; curl_in $pc -X POST ${upload}; curl_in $pc -X DELETE ${url}ghcr.io/siderolabs/kubelet/manifests/v1
curl_in $stranger -m 2 ${url}
nsenter -t $stranger -n ip address add 10.10.10.100/24 dev eth0; curl_in $stranger -m 2 --interface 10.10.10.100 ${url}
curl_in $host -m 2 ${url}; curl_in $host -m 2 http://192.0.2.2:5000/v2/`);
  expect(said.split("\n")).toEqual(["200", "403", "403", "000", "000", "000", "000"]);
});

test("a part of a blob is served, and no path and no question leads to anything but images", async () => {
  const top = "http://10.10.10.2:5000";
  // What addImage in tests/images-layer.ts puts into a layer of an image.
  const blob = `sha256:${createHash("sha256").update(KUBELET.repeat(10_000)).digest("hex")}`;
  const kubelet = `${top}/v2/ghcr.io/siderolabs/kubelet`;
  const asked: [options: string, status: number][] = [
    [`-r 5-14 ${kubelet}/blobs/${blob}`, 206],
    [`-I ${kubelet}/manifests/v1`, 200],
    [`${top}/v2/../../etc/passwd`, 400],
    [`${top}/v2/%2e%2e/%2e%2e/etc/passwd`, 400],
    [`${top}/v2/..%2f..%2fetc/passwd`, 400],
    [`'${top}/v2/docker/registry?ns=..'`, 301],
    [`'${top}/v2/x%0d%0aHost:%20y/manifests/v1?ns=ghcr.io'`, 404],
    [`'${top}/v2/x%3fa=b/manifests/v1?ns=ghcr.io%0d%0ax'`, 404],
    [`${top}/docker/registry/v2/repositories/`, 404],
    [`${top}/debug/vars`, 404],
    [`-X PUT -d x ${top}/images.json`, 405],
    [`-X PATCH ${kubelet}/blobs/uploads/x`, 403],
  ];
  const ask = `curl -s -m 300 --path-as-is -o /dev/null -w '%{http_code} %{size_download}\\n' -H 'Accept: application/vnd.oci.image.manifest.v1+json'`;
  const said = await serve(asked.map(([options]) => `in_pc ${ask} ${options}`).join("\n"));
  const lines = said.split("\n").map((line) => line.split(" ").map(Number));
  expect(lines.map(([status]) => status)).toEqual(asked.map(([, status]) => status));
  expect(lines[0]).toEqual([206, 10]);
});
