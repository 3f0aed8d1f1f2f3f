import CEnclaveRuntime

print("region", cloister_region_kind(), cloister_region_bytes(), cloister_region_used())
print(Array(0..<100).map { "\($0)" }.joined(separator: ","))
