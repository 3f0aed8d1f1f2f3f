import CellFormat
import Diagnostics
import Testing
import ValueCodec

@Suite struct DateTimeTests {
    @Test(arguments: [
        ("ISO, MDY", "2001-02-16", "2001-02-16"), ("ISO, MDY", "January 8, 99 BC", "0099-01-08 BC"), ("ISO, MDY", "1/2/3", "2003-01-02"),
        ("ISO, DMY", "1/2/3", "2003-02-01"),
        ("ISO, YMD", "1/2/3", "2001-02-03"), ("ISO, MDY", "19990108", "1999-01-08"), ("ISO, MDY", "990108", "1999-01-08"),
        ("ISO, MDY", "1999.008", "1999-01-08"),
        ("ISO, MDY", "J2451187", "1999-01-08"), ("ISO, MDY", "08-Jan-99", "1999-01-08"), ("ISO, YMD", "99-Jan-08", "1999-01-08"),
        ("ISO, MDY", "y2001m02d04", "2001-02-04"),
        ("ISO, MDY", "infinity", "infinity"), ("ISO, MDY", "-infinity", "-infinity"), ("ISO, MDY", "epoch", "1970-01-01"),
        ("ISO, MDY", "4714-11-24 BC", "4714-11-24 BC"),
        ("ISO, MDY", "5874897-12-31", "5874897-12-31"), ("SQL, MDY", "2001-02-16", "02/16/2001"), ("SQL, DMY", "2001-02-16", "16/02/2001"),
        ("German, DMY", "2001-02-16", "16.02.2001"),
        ("Postgres, MDY", "2001-02-16", "02-16-2001"), ("Postgres, DMY", "2001-02-16 BC", "16-02-2001 BC"),
        ("ISO, MDY", "2001-02-16 23:59:59+15", "2001-02-16"),
    ])
    func dates(style: String, text: String, shown: String) throws {
        #expect(try roundTrip(text, .date, settings(("DateStyle", style))) == shown)
    }

    @Test(arguments: [
        ("ISO, MDY", "2001-02-16T20:38:40.1234567", "2001-02-16 20:38:40.123457"),
        ("ISO, MDY", "Feb 16 20:38:40 2001", "2001-02-16 20:38:40"),
        ("ISO, MDY", "2001-02-16 24:00:00", "2001-02-17 00:00:00"), ("ISO, MDY", "2001-02-16 23:59:60", "2001-02-17 00:00:00"),
        ("ISO, MDY", "2001-02-16 12:00 AM", "2001-02-16 00:00:00"),
        ("ISO, MDY", "20010216 203840", "2001-02-16 20:38:40"), ("ISO, MDY", "2001-02-16 20:38:40+05", "2001-02-16 20:38:40"),
        ("ISO, MDY", "2001-02-16 allballs", "2001-02-16 00:00:00"),
        ("SQL, DMY", "2001-02-16 20:38:40.5", "16/02/2001 20:38:40.5"), ("German, DMY", "2001-02-16 20:38:40", "16.02.2001 20:38:40"),
        ("Postgres, MDY", "2001-02-16 20:38:40", "Fri Feb 16 20:38:40 2001"),
        ("Postgres, DMY", "2001-02-16 20:38:40 BC", "Wed 16 Feb 20:38:40 2001 BC"),
        ("ISO, MDY", "294276-12-31 23:59:59.999999", "294276-12-31 23:59:59.999999"),
        ("ISO, MDY", "4714-11-24 00:00 BC", "4714-11-24 00:00:00 BC"),
        ("ISO, MDY", "1999-12-31 23:59:59.999999", "1999-12-31 23:59:59.999999"), ("ISO, MDY", "epoch", "1970-01-01 00:00:00"),
        ("ISO, MDY", "infinity", "infinity"),
    ])
    func timestamps(style: String, text: String, shown: String) throws {
        #expect(try roundTrip(text, .timestamp, settings(("DateStyle", style), ("TimeZone", "Asia/Kolkata"))) == shown)
    }

    @Test(arguments: [
        ("ISO, MDY", "UTC", "2001-02-16 20:38:40+01", "2001-02-16 19:38:40+00"),
        ("ISO, MDY", "America/New_York", "2001-07-16 20:38:40", "2001-07-16 20:38:40-04"),
        ("ISO, MDY", "America/New_York", "2031-07-16 20:38:40", "2031-07-16 20:38:40-04"),
        ("ISO, MDY", "America/New_York", "1800-01-01 00:00", "1800-01-01 00:00:00-04:56:02"),
        // The gap and the repeated hour of a change.
        ("ISO, MDY", "America/New_York", "2021-03-14 02:30", "2021-03-14 03:30:00-04"),
        ("ISO, MDY", "America/New_York", "2021-11-07 01:30", "2021-11-07 01:30:00-05"),
        ("ISO, MDY", "America/New_York", "2051-03-12 02:30", "2051-03-12 03:30:00-04"),
        ("ISO, MDY", "Asia/Kolkata", "2001-02-16 20:38:40Z", "2001-02-17 02:08:40+05:30"),
        ("ISO, MDY", "UTC", "2001-07-16 20:38:40 America/New_York", "2001-07-17 00:38:40+00"),
        ("ISO, MDY", "UTC", "2001-07-16 20:38:40 europe/BERLIN", "2001-07-16 18:38:40+00"),
        ("ISO, MDY", "UTC", "2000-03-15 08:14:01 GMT+8", "2000-03-15 16:14:01+00"),
        ("ISO, MDY", "UTC", "J2452271.5+08", "2001-12-27 04:00:00+00"),
        ("ISO, MDY", "<+05>-05", "2001-02-16 20:38:40", "2001-02-16 20:38:40+05"),
        ("SQL, MDY", "<+05>-05", "2001-02-16 20:38:40", "02/16/2001 20:38:40 +05"),
        ("ISO, MDY", "CET-1CEST,M3.5.0,M10.5.0/3", "2001-07-16 20:38:40", "2001-07-16 20:38:40+02"),
        ("Postgres, MDY", "America/New_York", "2001-07-16 20:38:40", "Mon Jul 16 20:38:40 2001 EDT"),
        ("German, DMY", "Europe/Berlin", "2001-07-16 20:38:40", "16.07.2001 20:38:40 CEST"),
        ("SQL, DMY", "America/Sao_Paulo", "2001-07-16 20:38:40", "16/07/2001 20:38:40 -03"),
        ("ISO, MDY", "Europe/London", "4714-11-24 00:00:00+00 BC", "4714-11-23 23:58:45-00:01:15 BC"),
        ("ISO, MDY", "UTC", "-infinity", "-infinity"),
    ])
    func timestampsWithTimeZone(style: String, zone: String, text: String, shown: String) throws {
        #expect(try roundTrip(text, .timestamptz, settings(("DateStyle", style), ("TimeZone", zone))) == shown)
    }

    @Test(arguments: [
        (LogicalType.date, "", "22007"), (.date, "2001", "22007"), (.date, "2001-02-30", "22008"), (.date, "2001-13-01", "22008"),
        (.date, "0000-01-01", "22008"),
        (.date, "5874898-01-01", "22008"), (.date, "4714-11-23 BC", "22008"), (.date, "13/13/2001", "22008"), (.date, "abc", "22007"),
        (.date, "12:30", "22007"),
        (.timestamp, "2001-02-16 25:00", "22008"), (.timestamp, "294277-01-01", "22008"), (.timestamp, "2001-02-16 12:60", "22008"),
        (.timestamp, "2001-02-16 23:60:00", "22008"),
        (.timestamp, "2001-02-16 13:00 PM", "22008"), (.timestamptz, "2001-02-16 12:00+16", "22009"),
        (.timestamptz, "2001-02-16 12:00 No/Where", "22023"),
        (.timestamptz, "2001-02-16 12:00 nowhere", "22007"), (.timestamptz, "2001-02-16 12:00 ../etc/passwd", "22007"),
        (.timestamptz, "2001-02-16 12:00 dst", "22007"),
        // What depends on the server's clock or configuration.
        (.date, "today", "0A000"), (.timestamptz, "NOW", "0A000"), (.date, "Tomorrow", "0A000"), (.timestamp, "yesterday 12:00", "0A000"),
        (.timestamptz, "2001-02-16 12:00 EST", "0A000"), (.timestamptz, "2001-02-16 12:00 CEST", "0A000"),
        (.timestamptz, "2001-02-16 12:00 abc1def", "0A000"),
        (.timestamptz, "2001-02-16 12:00 a/localtime", "0A000"),
    ])
    func refuses(type: LogicalType, text: String, state: String) {
        #expect(refusal { () throws(CloisterError) in try read(text, type) } == state)
    }

    @Test func anUnknownSessionZoneIsRefusedOnlyWhereItCounts() throws {
        let lost = try settings(("TimeZone", "Mars/Olympus"))
        #expect(try roundTrip("2001-02-16 12:00", .timestamp, lost) == "2001-02-16 12:00:00")
        #expect(refusal { () throws(CloisterError) in try read("2001-02-16 12:00", .timestamptz, lost) } == "0A000")
        let instant = try read("2001-02-16 12:00+00", .timestamptz, lost)
        #expect(refusal { () throws(CloisterError) in try show(instant, .timestamptz, lost) } == "0A000")
        for name in ["localtime", "EST5EDT4", "right/UTC"] { #expect(!SessionTimeZone(named: name).isKnown) }
        for name in ["EST5EDT", "posix/UTC", "utc", "america/new_york", "UTC-3"] {
            #expect(SessionTimeZone(named: name).isKnown, "\(name)")
        }
    }
}
