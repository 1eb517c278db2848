import { clientConfigFault } from "../../../steps/talos/client-config";

test.each([
  ["one context", "context: home\ncontexts:\n  home:\n    endpoints: []\n"],
  ["none of them chosen", "contexts:\n  home: {ca: x}\n"],
])("a client config with %s is one", (_what, text) => {
  expect(clientConfigFault(text)).toBeUndefined();
});

test.each([
  ["", "it names no contexts"],
  ["hunter2", "it names no contexts"],
  ["data: |\n  context: home\n", "it names no contexts"],
  ["machine: {token: hunter2}\n", "it is a machine config"],
  ["contexts: {}\n", "its contexts are empty"],
  ["context: hunter2\ncontexts:\n  home: {}\n", "its context is none of its contexts"],
  ["contexts: [hunter2\n", "it is no YAML (BAD_"],
])("%j is refused, and not quoted", (text, words) => {
  const fault = clientConfigFault(text);
  expect(fault).toContain(words);
  expect(fault).not.toContain("hunter2");
});
