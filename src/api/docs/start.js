// Everything comes from this service: neither a validator elsewhere nor a network of others is asked.
window.SwaggerUIBundle({
  url: "../openapi.json",
  dom_id: "#operations",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
