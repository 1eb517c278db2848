import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Meddling } from "../registry";
import { onSmallDisk } from "../small-disk";
import { inToolEnvironment } from "../tools";
import { blobFile, except, ImageSteps, KUBELET, ofBlob, OWN, PROXY } from "./image-steps";

const steps = new ImageSteps();
const { asking, filling, resolved, filled, refused, fetchedBlobs } = steps;

test("a registry that wants fewer requests is waited for as long as it says, and not without end", async () => {
  const slower: Meddling = (_, response) => {
    response.writeHead(429, { "retry-after": "1" }).end();
    return true;
  };
  steps.proxy.meddle = except(/manifests/, 1, slower);
  const { images } = await resolved(KUBELET);
  steps.proxy.meddle = except(ofBlob(steps.kubelet.layers[0]!), 1, slower);
  await filled(images);
  steps.proxy.meddle = except(/manifests/, Infinity, slower);
  await refused("image-digests", asking([PROXY]), PROXY, "(429)");
});

test("a connection that dies in mid-blob is tried again, and what came whole before is kept", async () => {
  const { images } = await resolved(KUBELET);
  const half: Meddling = (_, response) => {
    response.writeHead(200, { "content-length": OWN.length });
    return response.write(OWN.subarray(0, 1 << 20), () => response.destroy());
  };
  steps.proxy.meddle = except(ofBlob(steps.kubelet.layers[0]!), Infinity, half);
  await refused("images", filling(images), `fetching the image ${KUBELET}`, "Run the same again");
  steps.proxy.meddle = except(ofBlob(steps.kubelet.layers[0]!), 1, half);
  const shared = fetchedBlobs(steps.kubelet.layers[1]!);
  await filled(images);
  expect(fetchedBlobs(steps.kubelet.layers[1]!)).toBe(shared);
});

test("a blob with another digest than it should have is refused, and nothing of it is kept", async () => {
  const { images } = await resolved(KUBELET);
  const wrong = Buffer.alloc(statSync(blobFile(steps.upstreamStore, steps.kubelet.layers[0]!)).size, "x");
  steps.proxy.meddle = except(ofBlob(steps.kubelet.layers[0]!), Infinity, (_, response) =>
    response.writeHead(200, { "content-length": wrong.length }).end(wrong),
  );
  await refused("images", filling(images), KUBELET, "another digest than it should");
  steps.proxy.meddle = () => false;
  await filled(images);
});

test("a blob that goes bad in the store is found when it is packed, and fetched anew by the next run", async () => {
  const { images } = await resolved(KUBELET);
  await filled(images);
  const blob = blobFile(join(steps.place, "store"), steps.kubelet.layers[0]!);
  writeFileSync(blob, Buffer.alloc(statSync(blob).size, "x"));
  rmSync(join(steps.place, "layers"), { recursive: true });
  await refused("images", filling(images), steps.kubelet.layers[0]!, "is damaged");
  await filled(images);
});

test.each([
  ["before it is filled", 2 << 10, /writing to .*store: it needs about \d+ MiB, and its disk has \d MiB/],
  // Room for the blobs alone, and none for what a registry keeps beside them.
  [
    "while it is filled",
    (OWN.length >> 10) + 8,
    /writing to .*store: its disk is full, 0 MiB of 3 MiB are free/,
  ],
])("a full disk is said %s", async (_, kib, words) => {
  const { images } = await resolved(KUBELET);
  const store = join(steps.place, "full/store");
  const command = onSmallDisk(kib, join(steps.place, "full"), ["steps/run", "images"]);
  const input = JSON.stringify(filling(images, { store }));
  const { exitCode, stderr } = await inToolEnvironment(...command, { input, env: steps.env });
  const said = stderr.trim().split("\n");
  expect({ exitCode, last: said.at(-1) }).toEqual({
    exitCode: 1,
    last: expect.stringMatching(words) as string,
  });
  expect(said.filter((line) => line.includes("trying again"))).toEqual([]);
});
