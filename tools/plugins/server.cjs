// What every stand-in shares: a resource plugin's gRPC service, as pulumi/pulumi's sdk/proto describes it.
const grpc = require("@grpc/grpc-js");
const struct = require("google-protobuf/google/protobuf/struct_pb.js");
const empty = require("google-protobuf/google/protobuf/empty_pb.js");
const messages = require("@pulumi/pulumi/proto/provider_pb.js");
const services = require("@pulumi/pulumi/proto/provider_grpc_pb.js");
const pluginMessages = require("@pulumi/pulumi/proto/plugin_pb.js");
const engineMessages = require("@pulumi/pulumi/proto/engine_pb.js");
const engineServices = require("@pulumi/pulumi/proto/engine_grpc_pb.js");
const { difference, inputOf } = require("./difference.cjs");

/**
 * @typedef {import("./values.cjs").Properties} Properties
 * @typedef {{ urn: string, name: string, signal: AbortSignal, preview: boolean, log(line: string): Promise<void> }} Call
 * @typedef {object} Resource
 * @property {string[]} replacedBy inputs whose change as a whole replaces; `*` for any change of any
 * @property {(inputs: Properties) => Properties} [settle] inputs with what holds for those not given
 * @property {(inputs: Properties) => Record<string, string>} check faults by input
 * @property {(call: Call, inputs: Properties) => Promise<{ id: string, outputs: Properties }>} create
 * @property {(call: Call, inputs: Properties, old: Properties) => Promise<Properties>} [update] returns the outputs
 * @property {(call: Call, state: Properties) => Promise<void>} [delete]
 * @property {(call: Call, state: Properties) => Promise<boolean>} [exists] whether a refresh finds it; unset, it does
 */

/** @param {{ toJavaScript(): any } | undefined} message @returns {Properties} */
const decode = (message) => message?.toJavaScript() ?? {};
/** @param {Properties} properties */
const encode = (properties) => struct.Struct.fromJavaScript(properties);

/** @param {string} urn */
const typeOf = (urn) => urn.split("::")[2]?.split("$").at(-1) ?? "";
/** @param {string} urn */
const nameOf = (urn) => urn.split("::").slice(3).join("::");

/**
 * Serves a stand-in until the engine ends it.
 * @param {object} plugin
 * @param {string} plugin.name
 * @param {string} plugin.version
 * @param {Record<string, Resource>} plugin.resources
 * @param {(config: Properties) => void} [plugin.configure] takes the provider's config
 */
function serve({ name, version, resources, configure }) {
  const stop = new AbortController();
  /** @type {any} */
  let engine;
  /** @param {string} address */
  const attach = (address) => {
    engine = new engineServices.EngineClient(address, grpc.credentials.createInsecure());
  };
  if (process.argv[2]) attach(process.argv[2]);

  /** Has the engine show a line while the resource is worked on. @param {string} urn @param {string} message @returns {Promise<void>} */
  function log(urn, message) {
    const request = new engineMessages.LogRequest();
    request.setSeverity(engineMessages.LogSeverity.INFO);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(true);
    return new Promise((resolve) => (engine ? engine.log(request, () => resolve()) : resolve()));
  }

  /** @param {string} urn @returns {Resource} */
  function resourceOf(urn) {
    const found = resources[typeOf(urn)];
    if (!found)
      throw new Error(`the stand-in for the ${name} plugin has no ${typeOf(urn)}; only the real plugin does`);
    return found;
  }
  /** @param {string} urn @param {boolean} preview @returns {Call} */
  const callOf = (urn, preview) => ({
    urn,
    name: nameOf(urn),
    signal: stop.signal,
    preview,
    log: (line) => log(urn, line),
  });

  /** A gRPC handler out of a function. @param {(request: any) => any} answer @returns {any} */
  const unary = (answer) => async (/** @type {any} */ call, /** @type {any} */ reply) => {
    try {
      reply(null, await answer(call.request));
    } catch (fault) {
      const error = /** @type {Error} */ (fault);
      reply({ code: grpc.status.UNKNOWN, message: error.message, details: error.message });
    }
  };
  const nothing = () => new empty.Empty();

  const server = new grpc.Server({
    "grpc.max_receive_message_length": 400 << 20,
    "grpc.max_send_message_length": 400 << 20,
  });
  server.addService(services.ResourceProviderService, {
    getPluginInfo: unary(() => {
      const info = new pluginMessages.PluginInfo();
      info.setVersion(version);
      return info;
    }),
    attach: unary((request) => {
      attach(request.getAddress());
      return nothing();
    }),
    checkConfig: unary((request) => {
      const response = new messages.CheckResponse();
      response.setInputs(request.getNews());
      return response;
    }),
    diffConfig: unary(() => new messages.DiffResponse()),
    configure: unary((request) => {
      configure?.(decode(request.getArgs()));
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      response.setAcceptresources(false);
      response.setAcceptoutputs(false);
      return response;
    }),
    check: unary((request) => {
      const inputs = decode(request.getNews());
      const response = new messages.CheckResponse();
      response.setInputs(encode(inputs));
      const faults = Object.entries(resourceOf(request.getUrn()).check(inputs));
      response.setFailuresList(
        faults.map(([property, reason]) => {
          const failure = new messages.CheckFailure();
          failure.setProperty(property);
          failure.setReason(reason);
          return failure;
        }),
      );
      return response;
    }),
    diff: unary((request) => {
      const { replacedBy, settle = (/** @type {Properties} */ inputs) => inputs } = resourceOf(
        request.getUrn(),
      );
      const changes = difference(settle(decode(request.getOldInputs())), settle(decode(request.getNews())));
      const paths = Object.keys(changes);
      const always = replacedBy.includes("*");
      const replaces = paths.filter((path) => always || replacedBy.includes(path));
      const response = new messages.DiffResponse();
      const { DIFF_SOME, DIFF_NONE } = messages.DiffResponse.DiffChanges;
      response.setChanges(paths.length > 0 ? DIFF_SOME : DIFF_NONE);
      response.setDiffsList([...new Set(paths.map(inputOf))]);
      response.setReplacesList([...new Set(replaces.map(inputOf))]);
      response.setHasdetaileddiff(!always);
      for (const [path, kind] of always ? [] : Object.entries(changes)) {
        const detail = new messages.PropertyDiff();
        detail.setKind(
          messages.PropertyDiff.Kind[
            replaces.includes(path) ? /** @type {const} */ (`${kind}_REPLACE`) : kind
          ],
        );
        response.getDetaileddiffMap().set(path, detail);
      }
      return response;
    }),
    create: unary(async (request) => {
      const call = callOf(request.getUrn(), request.getPreview());
      const { id, outputs } = await resourceOf(call.urn).create(call, decode(request.getProperties()));
      const response = new messages.CreateResponse();
      response.setId(id);
      response.setProperties(encode(outputs));
      return response;
    }),
    update: unary(async (request) => {
      const call = callOf(request.getUrn(), request.getPreview());
      const { update } = resourceOf(call.urn);
      if (!update) throw new Error(`${typeOf(call.urn)} is replaced, never updated`);
      const response = new messages.UpdateResponse();
      response.setProperties(
        encode(await update(call, decode(request.getNews()), decode(request.getOlds()))),
      );
      return response;
    }),
    delete: unary(async (request) => {
      const call = callOf(request.getUrn(), false);
      await resourceOf(call.urn).delete?.(call, decode(request.getProperties()));
      return nothing();
    }),
    read: unary(async (request) => {
      const response = new messages.ReadResponse();
      const call = callOf(request.getUrn(), false);
      const { exists } = resourceOf(call.urn);
      // An answer without an id says that it is gone.
      if (exists && !(await exists(call, decode(request.getProperties())))) return response;
      response.setId(request.getId());
      response.setProperties(request.getProperties());
      response.setInputs(request.getInputs());
      return response;
    }),
    cancel: unary(() => {
      stop.abort();
      return nothing();
    }),
  });

  // Not prctl's death signal: it is tied to the thread that started this process, and Go ends threads as it likes.
  const engineProcess = process.ppid;
  setInterval(() => {
    if (process.ppid !== engineProcess) process.exit(0);
  }, 500).unref();
  process.on("exit", () => stop.abort());

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => process.exit(0));
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (fault, port) => {
    if (fault) throw fault;
    process.stdout.write(`${port}\n`);
  });
}

module.exports = { serve };
