-- Sends the requests of a plan one after the other, over and over; says what came of it as JSON.
-- A plan is a file: for each request a line of tab-separated method, path, body, name, value, ...
-- Where there is a third argument, each connection pauses between requests: so many ms on average.
-- Where a body has sixteen zeros, each request sent gets a number of its own in their place.

local MARK = string.rep("0", 16)
local requests, at, stamp = {}, 0, 0

local function parts(line)
  local found = {}
  for part in (line .. "\t"):gmatch("([^\t]*)\t") do
    found[#found + 1] = part
  end
  return found
end

function init(args)
  stamp = tonumber(args[2])
  local pause = tonumber(args[3] or "0")
  if pause > 0 then
    -- wrk asks whether there is such a function, so there is none unless it is wanted
    function delay()
      return math.random(0, 2 * pause)
    end
  end
  for line in io.lines(args[1]) do
    local part = parts(line)
    local headers = {}
    for i = 4, #part, 2 do
      headers[part[i]] = part[i + 1]
    end
    local body = part[3] ~= "" and part[3] or nil
    -- wrk adds its own headers (Host) to those that it is given only when they are its table
    for name, value in pairs(wrk.headers) do
      headers[name] = headers[name] or value
    end
    local text = wrk.format(part[1], part[2], headers, body)
    local from, to = text:find(MARK, 1, true)
    if body and from then
      requests[#requests + 1] = { text:sub(1, from - 1), text:sub(to + 1) }
    else
      requests[#requests + 1] = text
    end
  end
end

function request()
  at = at % #requests + 1
  local now = requests[at]
  if type(now) == "string" then
    return now
  end
  stamp = stamp + 1
  return now[1] .. string.format("%016d", stamp) .. now[2]
end

function done(summary, latency)
  local errors = summary.errors
  local faults = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '\n{"requests":%d,"durationUs":%d,"bytes":%d,"refused":%d,"broken":%d,'
      .. '"p50Us":%d,"p95Us":%d,"p99Us":%d}\n',
    summary.requests, summary.duration, summary.bytes, errors.status, faults,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
