// Draws the reference of the merged document; a file of its own because the page allows no inline script.
if (typeof SwaggerUIBundle === "undefined") {
  document.getElementById("reference").textContent =
    "The reference's script is not installed: run make setup. The document is at /api/v1/openapi.json.";
} else {
  SwaggerUIBundle({
    url: "/api/v1/openapi.json",
    dom_id: "#reference",
    deepLinking: true,
    displayRequestDuration: true,
    filter: true,
    persistAuthorization: false,
    validatorUrl: null,
  });
}
