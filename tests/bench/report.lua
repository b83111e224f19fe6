-- One thread is one slave: its next report returns what the last answer leased.
local counter = 0
function setup(thread)
  thread:set("place", counter)
  counter = counter + 1
end

function init(args)
  folder, batch = args[1], tonumber(args[2])
  place = place + tonumber(args[3])  -- several drivers share the slaves
  token = io.open(folder .. "/token" .. place):read("*l")
  results, at = {}, 0
  for line in io.lines(folder .. "/results" .. place) do results[#results + 1] = line end
  seq, held = os.time() * 1000, {}
  headers = { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }
end

function request()
  seq = seq + 1
  local ends = {}
  for n, attempt in ipairs(held) do
    at = at % #results + 1
    ends[n] = '{"attempt":' .. attempt .. ',"seconds":' .. 30 / batch .. ',"cpu_seconds":1,' .. results[at] .. '}'
  end
  held = {}
  local body = '{"seq":' .. seq .. ',"hold":0,"want":1,"state":"idle","finished":[' .. table.concat(ends, ",") .. ']}'
  return wrk.format("POST", "/api/slave/next", headers, body)
end

function response(status, headers, body)
  if status ~= 200 then return end
  local leases = body:match('^{"leases":(.-),"revoked"')
  if not leases then return end
  for attempt in leases:gmatch('"attempt":(%d+)') do held[#held + 1] = attempt end
end
