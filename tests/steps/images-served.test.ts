import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256Of, tool } from "../tools";
import { ImageSteps, KUBELET, PROXY } from "./image-steps";

const steps = new ImageSteps();
const { resolved, filled, fetchedBlobs, served, pulled } = steps;

test("what is filled is served by docker-registry as it was, by tag and by digest, each blob fetched once", async () => {
  const { images } = await resolved(KUBELET, PROXY);
  expect(images[0]).toEqual({
    ...{ reference: KUBELET, repository: "ghcr.io/siderolabs/kubelet", tag: "v1.34.1" },
    ...{ digest: steps.kubelet.digest, bytes: expect.any(Number) as number },
  });
  const { layer } = await filled(images);
  expect(fetchedBlobs(steps.kubelet.layers[0]!)).toBe(1);
  expect(fetchedBlobs(steps.kubelet.layers[1]!)).toBe(1);
  const list = await served(layer, async (address) => {
    for (const { repository, tag, digest } of images) {
      await pulled(`${address}/${repository}:${tag}`);
      await pulled(`${address}/${repository}@${digest}`);
    }
    // As containerd asks a mirror.
    const url = `http://${address}/v2/ghcr.io/siderolabs/kubelet/manifests/v1.34.1?ns=ghcr.io`;
    const accept = "application/vnd.oci.image.manifest.v1+json";
    const answer = await fetch(url, { headers: { accept } });
    expect(answer.headers.get("docker-content-digest")).toBe(steps.kubelet.digest);
  });
  expect(list).toEqual({ images });
});

test("the layer holds its own set and nothing else, and the same set gives the same bytes", async () => {
  const { images } = await resolved(KUBELET, PROXY);
  const { layer: both } = await filled(images);
  const one = [images[1]!];
  const { layer } = await filled(one, { key: "one", path: join(steps.place, "layers/one/images.squashfs") });
  expect(await tool("unsquashfs", ["-ls", layer])).not.toContain("kubelet");
  const before = sha256Of(readFileSync(both));
  rmSync(join(steps.place, "store"), { recursive: true });
  rmSync(dirname(both), { recursive: true });
  const { layer: again } = await filled(images);
  expect(sha256Of(readFileSync(again))).toBe(before);
  steps.proxy.requests.length = 0;
  await filled(images);
  expect(steps.proxy.requests).toEqual([]);
});
