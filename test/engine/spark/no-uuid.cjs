// In the place of uuid, which jest cannot load before Node 24.9 because thrift asks for it with require(). Hive has no values of the type.
const refuse = () => {
  throw new Error("Hive has no UUIDs");
};
module.exports = { parse: refuse, stringify: refuse };
