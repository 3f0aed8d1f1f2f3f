package import Diagnostics

/// PostgreSQL arrays as raw elements: what stands around the elements is read and written here, the elements themselves
/// by `ValueCodec`. Text form: PostgreSQL 15's array_in and array_out with `,` as delimiter (every logical type's);
/// binary form: array_recv and array_send.
package enum ArrayCodec {
    package static let maximumDimensions = 6
    /// MaxArraySize: PostgreSQL's bound on the number of elements.
    static let maximumCount = 0x3fff_ffff / 8

    package struct Dimension: Equatable, Sendable {
        package var count: Int32
        package var lowerBound: Int32

        package init(count: Int32, lowerBound: Int32 = 1) {
            self.count = count
            self.lowerBound = lowerBound
        }
    }

    package struct Contents: Equatable, Sendable {
        /// Outermost first; none if the array is empty.
        package var dimensions: [Dimension]
        /// Row by row; nil: NULL. In the form (text or binary) that the array was in.
        package var elements: [[UInt8]?]
        /// The binary form's element type; nil in text form.
        package var elementOID: UInt32?

        package init(dimensions: [Dimension], elements: [[UInt8]?], elementOID: UInt32? = nil) {
            self.dimensions = dimensions
            self.elements = elements
            self.elementOID = elementOID
        }
    }

    static func tooManyDimensions() -> CloisterError {
        CloisterError(.programLimit, "number of array dimensions exceeds the maximum allowed (\(maximumDimensions))")
    }
    static func tooLarge() -> CloisterError {
        CloisterError(.programLimit, "array size exceeds the maximum allowed")
    }

    /// ArrayGetNItems and ArrayCheckBounds.
    static func elementCount(_ dimensions: [Dimension]) throws(CloisterError) -> Int {
        guard !dimensions.isEmpty else { return 0 }
        var product = 1
        for dimension in dimensions {
            if dimension.count < 0 { throw tooLarge() }
            let (next, overflow) = product.multipliedReportingOverflow(by: Int(dimension.count))
            if overflow || next > Int(Int32.max) { throw tooLarge() }
            product = next
            if dimension.count == 0 { return 0 }
        }
        guard product <= maximumCount else { throw tooLarge() }
        for dimension in dimensions where dimension.lowerBound.addingReportingOverflow(dimension.count).overflow {
            throw CloisterError(.programLimit, "array lower bound is too large")
        }
        return product
    }

    // MARK: Binary

    /// array_recv: the elements stay in their binary form, unchecked.
    package static func elements(ofBinary bytes: [UInt8]) throws(CloisterError) -> Contents {
        var index = 0
        func int32() throws(CloisterError) -> Int32 {
            guard bytes.count - index >= 4 else { throw ValueCodec.shortBinary() }
            defer { index += 4 }
            return Bytes.integer(bytes, at: index)
        }
        let count = try int32()
        guard count >= 0 else { throw ValueError.binary("invalid number of dimensions") }
        guard count <= maximumDimensions else { throw tooManyDimensions() }
        let flags = try int32()
        guard flags == 0 || flags == 1 else { throw ValueError.binary("invalid array flags") }
        let elementOID = UInt32(bitPattern: try int32())
        var dimensions: [Dimension] = []
        for _ in 0..<count { dimensions.append(Dimension(count: try int32(), lowerBound: try int32())) }
        let total = try elementCount(dimensions)
        var elements: [[UInt8]?] = []
        elements.reserveCapacity(min(total, bytes.count / 4))
        for _ in 0..<total {
            let size = Int(try int32())
            if size == -1 {
                elements.append(nil)
                continue
            }
            guard size >= 0, bytes.count - index >= size else { throw ValueError.binary("insufficient data left in message") }
            elements.append(Array(bytes[index..<index + size]))
            index += size
        }
        guard index == bytes.count else { throw ValueCodec.longBinary() }
        return Contents(dimensions: total == 0 ? [] : dimensions, elements: elements, elementOID: elementOID)
    }

    /// array_send.
    package static func binary(elements: [[UInt8]?], dimensions: [Dimension], elementOID: UInt32) -> [UInt8] {
        var output = Bytes.bigEndian(Int32(truncatingIfNeeded: elements.isEmpty ? 0 : dimensions.count))
        output += Bytes.bigEndian(Int32(elements.contains { $0 == nil } ? 1 : 0))
        output += Bytes.bigEndian(elementOID)
        if elements.isEmpty { return output }
        for dimension in dimensions {
            output += Bytes.bigEndian(dimension.count)
            output += Bytes.bigEndian(dimension.lowerBound)
        }
        for element in elements {
            output += Bytes.bigEndian(element.map { Int32(truncatingIfNeeded: $0.count) } ?? -1)
            if let element { output += element }
        }
        return output
    }

    /// One dimension of elements, from 1.
    package static func dimensions(of elements: [[UInt8]?]) -> [Dimension] {
        elements.isEmpty ? [] : [Dimension(count: Int32(truncatingIfNeeded: elements.count))]
    }
}
