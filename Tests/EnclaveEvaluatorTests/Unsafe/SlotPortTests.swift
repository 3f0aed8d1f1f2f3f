import CellCrypto
import EnclaveABI
@testable import EnclaveEvaluator
import Testing

/// A slot as the enclave maps it, written like a backend, honest or not.
@safe final class FakeSlot {
    let pointer: UnsafeMutablePointer<cloister_slot>
    private let memory: UnsafeMutableRawPointer

    init() {
        // SAFETY: a whole slot's bytes, zeroed, freed in `deinit`.
        unsafe memory = UnsafeMutableRawPointer.allocate(byteCount: Int(CLOISTER_SLOT_BYTES), alignment: 4096)
        _ = unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: Int(CLOISTER_SLOT_BYTES))
        unsafe pointer = unsafe memory.assumingMemoryBound(to: cloister_slot.self)
    }

    deinit { unsafe memory.deallocate() }

    func post(_ opcode: UInt32, _ request: [UInt8], length: UInt32? = nil) {
        // SAFETY: requests of these tests fit into the slot.
        unsafe (memory + Int(CLOISTER_SLOT_DATA)).copyMemory(from: request, byteCount: request.count)
        unsafe pointer.pointee.opcode = opcode
        unsafe pointer.pointee.length = length ?? UInt32(request.count)
        unsafe pointer.pointee.state = CLOISTER_POSTED.rawValue
    }

    var state: UInt32 { unsafe pointer.pointee.state }
    var status: UInt32 { unsafe pointer.pointee.status }
    var value: Int32 { unsafe pointer.pointee.value }

    var answer: [UInt8] {
        let count = unsafe Int(pointer.pointee.answer_length)
        return (0..<count).map { unsafe memory.load(fromByteOffset: Int(CLOISTER_SLOT_DATA) + $0, as: UInt8.self) }
    }
}

@Suite struct SlotPortTests {
    let slot = FakeSlot()
    let port: SlotPort
    let sealer: Sealer

    init() throws {
        let keys = KeyTable()
        sealer = try Sealer(7)
        #expect(keys.insert([(sealer.cipher, KeyOperations.all)]))
        port = SlotPort(Evaluator(Enclave(keys: keys, tunnel: NoTunnel())))
    }

    func serve() { unsafe port.serve(slot.pointer, session: 1, peer: 1) }

    @Test func aPostedRequestIsServedOnce() throws {
        let low = try sealer.cell([0, 0, 0, 1])
        let high = try sealer.cell([0, 0, 0, 2])
        slot.post(CLOISTER_OP_COMPARE.rawValue, pair(low, high))
        serve()
        #expect(slot.state == CLOISTER_DONE.rawValue)
        #expect((slot.status, slot.value) == (CLOISTER_OK.rawValue, -1))
        unsafe slot.pointer.pointee.value = 77
        serve()
        #expect(slot.value == 77, "an answered slot is left alone")
    }

    @Test(arguments: [CLOISTER_IDLE.rawValue, CLOISTER_SERVING.rawValue, CLOISTER_DONE.rawValue, 4, .max])
    func aSlotThatIsNotPostedIsLeftAlone(state: UInt32) {
        slot.post(CLOISTER_OP_PING.rawValue, [])
        unsafe slot.pointer.pointee.state = state
        unsafe slot.pointer.pointee.status = 99
        serve()
        #expect((slot.state, slot.status) == (state, 99))
    }

    @Test func lengthsBeyondTheSlot() {
        let room = UInt32(CLOISTER_SLOT_BYTES - CLOISTER_SLOT_DATA)
        for length in [room + 1, room + 4096, 1 << 31, .max] {
            slot.post(CLOISTER_OP_HASH.rawValue, [1], length: length)
            serve()
            #expect((slot.state, slot.status) == (CLOISTER_DONE.rawValue, Refusal.tooLarge.status))
        }
        slot.post(CLOISTER_OP_HASH.rawValue, [1], length: room)
        serve()
        #expect(slot.status == Refusal.badCell.status)
    }

    @Test func aSmallEnclaveTakesSmallRequests() {
        let small = SlotPort(Evaluator(Enclave(keys: KeyTable(), tunnel: NoTunnel())), largestRequest: 100)
        for (length, status) in [(100, Refusal.badCell.status), (101, Refusal.tooLarge.status)] as [(UInt32, UInt32)] {
            slot.post(CLOISTER_OP_HASH.rawValue, [1], length: length)
            unsafe small.serve(slot.pointer, session: 1, peer: 1)
            #expect(slot.status == status)
        }
    }

    @Test func theSlotsOwnHeaderIsNotRead() throws {
        unsafe slot.pointer.pointee.magic = .max
        unsafe slot.pointer.pointee.index = .max
        unsafe slot.pointer.pointee.bytes = .max
        slot.post(CLOISTER_OP_PING.rawValue, [])
        serve()
        #expect(slot.status == CLOISTER_OK.rawValue)
    }

    @Test func frames() {
        slot.post(CLOISTER_OP_TUNNEL.rawValue, [1, 2, 3])
        serve()
        #expect(slot.answer == [3, 2, 1])
        slot.post(CLOISTER_OP_PING.rawValue, [])
        serve()
        #expect(slot.answer.isEmpty)
    }

    @Test func anOldRequestLeavesNothingInTheNext() throws {
        let cell = try sealer.cell([0, 0, 0, 1])
        slot.post(CLOISTER_OP_COMPARE.rawValue, pair(cell, cell))
        serve()
        slot.post(CLOISTER_OP_COMPARE.rawValue, Array(pair(cell, cell).prefix(20)))
        serve()
        #expect((slot.status, slot.value) == (Refusal.badRequest.status, 0))
    }

    @Test func randomSlotsNeverEndTheProcess() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            let request = (0..<Int.random(in: 0...120)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let opcodes: [UInt32] = [1, 2, 3, 4, 16, .random(in: 0...UInt32.max, using: &generator)]
            slot.post(opcodes.randomElement() ?? 0, request, length: Bool.random() ? nil : .random(in: 0...2_000_000))
            serve()
            #expect(slot.state == CLOISTER_DONE.rawValue)
        }
    }
}
