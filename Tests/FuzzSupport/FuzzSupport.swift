/// What the fuzz tests share: seeded mutations, the same on every machine, and how long to go on.
///
/// `swift test` runs a fixed number of inputs per seed. With `CLOISTER_FUZZ_SECONDS` set, each fuzz test goes on for so long instead,
/// from a seed of the clock which it prints.
internal import Foundation

/// SplitMix64.
package struct SeededGenerator: RandomNumberGenerator {
    package var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    package mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &self) == 0 }

    package mutating func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &self) }

    /// Bytes changed, cut off, doubled, removed.
    package mutating func mutate(_ bytes: inout [UInt8], rounds: Int = 4) {
        for _ in 0...Int.random(in: 0..<rounds, using: &self) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &self)
            switch Int.random(in: 0..<6, using: &self) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &self)
            case 1: bytes[index] = pick([0, 1, 0x7f, 0x80, 0xff, 0x27, 0x22, 0x5c, 0x24]) ?? 0
            case 2: bytes.removeSubrange(index...)
            case 3: bytes.insert(contentsOf: bytes[index...].prefix(8), at: index)
            case 4: bytes.swapAt(index, Int.random(in: 0..<bytes.count, using: &self))
            default: bytes.remove(at: index)
            }
        }
    }
}

/// Runs `body` with a generator, `inputs` times or for as long as the environment says.
package func fuzz(seed: UInt64, inputs: Int, _ body: (inout SeededGenerator) throws -> Void) rethrows {
    guard let seconds = ProcessInfo.processInfo.environment["CLOISTER_FUZZ_SECONDS"].flatMap(Double.init) else {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<inputs { try body(&generator) }
        return
    }
    let start = UInt64(Date().timeIntervalSince1970 * 1000) &+ seed &* 1_000_003
    print("fuzz: from seed \(start)")
    var generator = SeededGenerator(state: start)
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end { try body(&generator) }
}

/// Nothing that one input causes takes longer than this: more is a hang, or work that grows faster than its input.
package let longestInput = Duration.seconds(10)
