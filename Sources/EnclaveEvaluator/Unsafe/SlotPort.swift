package import EnclaveABI
internal import Glibc

/// The enclave's end of one slot: takes a posted request into protected memory and writes the answer back.
///
/// Everything in the slot is written by an untrusted party at any time. Each field is read once; the copy is what is
/// checked and used. The slot's own header (magic, index, size) is never read back.
package final class SlotPort {
    private static let slotRoom = Int(CLOISTER_SLOT_BYTES - CLOISTER_SLOT_DATA)

    private let evaluator: Evaluator
    private let largestRequest: Int
    private var request: [UInt8] = []

    /// `largestRequest` in bytes: smaller than a slot where the enclave's memory is.
    package init(_ evaluator: Evaluator, largestRequest: Int = .max) {
        self.evaluator = evaluator
        self.largestRequest = min(largestRequest, Self.slotRoom)
    }

    /// Serves the request in `slot`, if one is posted. `slot` has `CLOISTER_SLOT_BYTES` mapped bytes for the length of the
    /// call. `session` and `peer`: the connection's number and process, which are the enclave's own knowledge.
    package func serve(_ slot: UnsafeMutablePointer<cloister_slot>, session: UInt64, peer: Int32) {
        guard unsafe cloister_slot_take(slot) != 0 else { return }
        let answer = unsafe take(slot, session, peer)
        unsafe put(answer, slot)
        if unsafe cloister_slot_finish(slot) != 0 { unsafe cloister_slot_wake(slot) }
    }

    private func take(_ slot: UnsafeMutablePointer<cloister_slot>, _ session: UInt64, _ peer: Int32) -> Answer {
        // SAFETY: the fields lie inside the mapped slot; each is read once, atomically.
        let opcode = unsafe cloister_load32(&slot.pointee.opcode)
        let length = unsafe cloister_load32(&slot.pointee.length)
        let purpose = unsafe cloister_load32(&slot.pointee.purpose)
        let count = Int(length)
        guard count <= largestRequest else { return Answer(status: Refusal.tooLarge.status) }
        if request.count < count {
            let size = max(count, 512)
            let need = MemoryNeed(buffer: size)
            request = []
            do { try evaluator.reserve(need) } catch { return Answer(status: error.status) }
            request = [UInt8](repeating: 0, count: size)
            evaluator.enclave.memory.release()
        }
        // SAFETY: `count` was checked against the slot and against the buffer. The source may change while it is copied:
        // the copy is then some mixture of bytes, which is checked like any other request.
        unsafe request.withUnsafeMutableBytes { buffer in
            guard count > 0, let target = buffer.baseAddress else { return }
            let source = unsafe UnsafeRawPointer(slot) + Int(CLOISTER_SLOT_DATA)
            _ = unsafe memcpy(target, source, count)
        }
        let caller = Caller(session: session, peer: peer, isMaintenance: purpose == CLOISTER_MAINTENANCE.rawValue)
        return evaluate(opcode, request, count, caller)
    }

    private func evaluate(_ opcode: UInt32, _ request: [UInt8], _ count: Int, _ caller: Caller) -> Answer {
        evaluator.evaluate(opcode: opcode, request: request.span.extracting(0..<count), caller: caller)
    }

    private func put(_ answer: Answer, _ slot: UnsafeMutablePointer<cloister_slot>) {
        var answer = answer
        if answer.bytes.count > Self.slotRoom { answer = Answer(status: Refusal.tooLarge.status) }
        // SAFETY: the fields lie inside the mapped slot; the bytes were checked against its size.
        unsafe cloister_store32(&slot.pointee.status, answer.status)
        unsafe cloister_store_value(slot, answer.value)
        unsafe cloister_store64(&slot.pointee.hash, answer.hash)
        unsafe cloister_store32(&slot.pointee.answer_length, UInt32(answer.bytes.count))
        guard !answer.bytes.isEmpty else { return }
        unsafe answer.bytes.withUnsafeBytes { source in
            guard let from = source.baseAddress else { return }
            _ = unsafe memcpy(UnsafeMutableRawPointer(slot) + Int(CLOISTER_SLOT_DATA), from, source.count)
        }
    }
}
