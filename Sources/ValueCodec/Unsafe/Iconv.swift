import Glibc

/// The C library's conversions between character sets, one character at a time.
// SAFETY: the handle is this value's own from init to deinit.
@safe struct Iconv: ~Copyable {
    private let handle: iconv_t

    /// nil: this host has no such conversion. `charset`: as `iconv -l` names it.
    init?(from charset: String) {
        guard let handle = unsafe iconv_open("UTF-8", charset), unsafe handle != iconv_t(bitPattern: -1) else { return nil }
        unsafe self.handle = handle
    }

    deinit { unsafe _ = iconv_close(handle) }

    /// The character that `bytes` (at most 4) are in the charset; nil if they are not exactly one.
    borrowing func character(_ bytes: [UInt8]) -> Unicode.Scalar? {
        var input = bytes.map { CChar(bitPattern: $0) }
        var output = [CChar](repeating: 0, count: 16)
        var inputLeft = input.count
        var outputLeft = output.count
        // SAFETY: both arrays live through the calls, which advance the pointers and write at most the counts they are given.
        let isDone = unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                var from = input.baseAddress
                var to = output.baseAddress
                unsafe iconv(handle, nil, nil, nil, nil)
                let converted = unsafe iconv(handle, &from, &inputLeft, &to, &outputLeft)
                // What a charset with combining characters holds back comes out now.
                let flushed = unsafe iconv(handle, nil, nil, &to, &outputLeft)
                return converted != -1 && flushed != -1 && inputLeft == 0
            }
        }
        guard isDone else { return nil }
        let text = output[..<(output.count - outputLeft)].map { UInt8(bitPattern: $0) }
        guard let scalars = String(validating: text, as: UTF8.self)?.unicodeScalars, scalars.count == 1 else { return nil }
        return scalars.first
    }
}
