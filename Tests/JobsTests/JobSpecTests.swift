import Jobs
import MediaCore
import PositionedJSON
import Testing

@Suite struct JobSpecTests {
  private func read(_ text: String) throws -> JobSpec {
    try JobSpec(json: JSONParser.parse(Array(text.utf8), source: JSONSource("spec.json")))
  }

  @Test func jsonComesBack() throws {
    let text = """
      {"schema":1,"kind":"render","payload":{"a":[1,null]},"name":"n","project":"p","inputs":{"i":"/x"},"outputs":{"o":"/y"},
       "overwrite":true,"class":"encode","priority":3,"uniqueKey":"u","notBefore":1767225600.5,"after":[1,2],
       "timeoutSeconds":1.5,"retry":{"attempts":2,"baseSeconds":0.5,"capSeconds":9},"crashLimit":4,"labels":{"l":"v"}}
      """
    let spec = try read(text)
    #expect(spec.payload == Array(#"{"a":[1,null]}"#.utf8))
    #expect(spec.notBefore == 1_767_225_600_500_000)
    #expect(spec.after == [JobID(1), JobID(2)])
    #expect(try read(spec.json.text()) == spec)
  }

  @Test(arguments: [
    #"{"payload":{}}"#, #"{"kind":""}"#, #"{"kind":"a/b"}"#, #"{"kind":7}"#, #"{"kind":"a","kund":1}"#, #"[]"#,
    #"{"kind":"a","priority":1.5}"#, #"{"kind":"a","after":["x"]}"#, #"{"kind":"a","timeoutSeconds":-1}"#,
    #"{"kind":"a","retry":{"attempts":0}}"#, #"{"kind":"a","labels":{"k y":"v"}}"#, #"{"kind":"a","outputs":{"o":""}}"#,
    #"{"kind":"a","outputs":{"o":"/x/"}}"#, #"{"kind":"a","outputs":{"o":"/x","p":"/x"}}"#, #"{"kind":"a","project":"../x"}"#,
    #"{"kind":"a","name":"\u0000"}"#, #"{"kind":"a","crashLimit":0}"#, #"{"schema":2,"kind":"a"}"#,
  ]) func wrongSpecIsRefused(_ text: String) {
    let error = #expect(throws: MediaError.self) { try read(text) }
    #expect(error?.code == .usage)
  }

  @Test func delaysHaveFullJitterBelowTheirBound() {
    let policy = RetryPolicy(attempts: 10, baseSeconds: 2, capSeconds: 30)
    var generator = SystemRandomNumberGenerator()
    for (attempt, bound) in [(1, 2.0), (2, 4.0), (4, 16.0), (5, 30.0), (60, 30.0)] {
      let delays = (0..<400).map { _ in Double(policy.delayMicroseconds(after: attempt, using: &generator)) / 1e6 }
      #expect(delays.allSatisfy { (0...bound).contains($0) })
      // 400 uniform draws: the chance that none falls in an outer tenth is 0.9^400 < 1e-18.
      #expect(delays.contains { $0 < bound / 10 } && delays.contains { $0 > bound * 0.9 })
    }
  }
}
