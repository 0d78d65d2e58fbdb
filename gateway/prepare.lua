-- Runs on three kinds of routes only: a request id that is not sane, a path without a version, and
-- /health. The first two change the request and let it be routed again; everything that follows
-- (identity, limits, body size) then goes by the new route.

local SERVICES = { "auth", "projects", "assets", "builds", "collab", "registry" }
local ASKED_MS = 1000

math.randomseed(os.time())

-- Unique enough to find a request in the logs, and no more than that.
local function fresh_id(handle)
  local now = handle:timestamp(EnvoyTimestampResolution.MILLISECOND)
  return string.format("%012x-%08x%08x", now, math.random(0, 0x7fffffff), math.random(0, 0x7fffffff))
end

local function is_sane(id)
  return id ~= nil and #id >= 8 and #id <= 128 and id:match("^[A-Za-z0-9._-]+$") ~= nil
end

-- Ask every service whether it is ready. The gateway's own health checks make this cheap: what is
-- known to be down is answered at once.
local function answer_health(handle, request_id)
  local states, down = {}, {}
  for _, name in ipairs(SERVICES) do
    local call = { [":method"] = "GET", [":path"] = "/health/ready", [":authority"] = "gateway" }
    local answer = handle:httpCall(name, call, nil, ASKED_MS)
    local state = answer[":status"] == "200" and "ready" or "unavailable"
    states[#states + 1] = string.format('"%s":"%s"', name, state)
    if state ~= "ready" then
      down[#down + 1] = string.format('{"service":"%s","message":"%s"}', name, state)
    end
  end
  local headers = { [":status"] = "200", ["content-type"] = "application/json", ["cache-control"] = "no-store" }
  if #down == 0 then
    local body = '{"success":true,"data":{"status":"ready","services":{%s}}}'
    handle:respond(headers, body:format(table.concat(states, ",")))
    return
  end
  headers[":status"], headers["retry-after"] = "503", "1"
  local body = '{"success":false,"error":{"code":"UNAVAILABLE","message":"Parts of the fleet are not ready.",'
    .. '"details":[%s],"requestId":"%s"}}'
  handle:respond(headers, body:format(table.concat(down, ","), request_id))
end

function envoy_on_request(handle)
  local headers = handle:headers()
  if not is_sane(headers:get("x-request-id")) then
    headers:replace("x-request-id", fresh_id(handle))
  end
  local path = headers:get(":path")
  local bare = path:match("^[^?]*")
  if bare == "/health" then
    answer_health(handle, headers:get("x-request-id"))
    return
  end
  if bare:sub(1, 5) == "/api/" and not bare:match("^/api/v%d+/") and not bare:match("^/api/v%d+$") then
    headers:replace(":path", "/api/v1" .. path:sub(5))
    -- as it stands in a header, nothing may end the address early
    local canonical = ("/api/v1" .. bare:sub(5)):gsub('[<>"]', "")
    handle:streamInfo():dynamicMetadata():set("worldloom", "canonical", canonical)
  end
  handle:clearRouteCache()
end

function envoy_on_response(handle)
  local noted = handle:streamInfo():dynamicMetadata():get("worldloom")
  if noted and noted.canonical then
    handle:headers():add("link", "<" .. noted.canonical .. '>; rel="canonical"')
  end
end
