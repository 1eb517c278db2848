import { PassThrough } from "node:stream";
import { Person } from "../../commands/new/person";

function person(stop = new AbortController()) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  return { input, output, asked: new Person(stop, input, output), stop };
}

test("pasted lines answer one question after the other, and an empty line takes what is in brackets", async () => {
  const { input, output, asked } = person();
  input.write("48:21:0b:12:34:56\n\n /dev/sda \n");
  expect(await asked.ask("MAC")).toBe("48:21:0b:12:34:56");
  expect(await asked.ask("Release", "v1.11.6")).toBe("v1.11.6");
  expect(await asked.ask("Disk")).toBe("/dev/sda");
  asked.leave();
  expect(String(output.read())).toBe("MAC: Release [v1.11.6]: Disk: ");
});

test("a closed terminal and a stop end the question", async () => {
  const closed = person();
  closed.input.end();
  await expect(closed.asked.ask("MAC")).rejects.toThrow("asking on the terminal: it was closed");
  const stopped = person();
  const answer = stopped.asked.ask("MAC");
  stopped.stop.abort(new Error("stopped by SIGINT"));
  await expect(answer).rejects.toThrow("stopped by SIGINT");
  stopped.asked.leave();
});
