#!/usr/bin/perl
# A hook tool: sends its arguments to the agent and prints what comes back. One file, a symbolic link for each tool.
# No module is loaded: that is what makes it fast. The format is described in server.py.
my ($name) = $0 =~ m{([^/]*)$};
my $request = "";
sub part { $request .= $_[0] . length($_[1]) . "\n" . $_[1] }
sub fail { print STDERR "ERROR $_[0]\n"; exit 1 }
sub slurp {
    my ($file, $lost) = @_;
    for (my $text = "";;) {
        my $n = sysread($file, my $piece, 65536);
        defined $n or fail($lost || "read " . lcfirst $!);
        $n or return $text;
        $text .= $piece;
    }
}
sub content { my $path = $_[0]; open(my $file, "<", $path) or fail("open $path: " . lcfirst $!); slurp($file) }
my $takes_file = $name =~ /^(?:relation|state|secret|pod-spec)-(?:set|add)$/;
my $takes_files = $name =~ /^secret-/;
part("c", $ENV{JUJU_CONTEXT_ID} || "");
part("t", $name);
my $words = 0;
for (my $i = 0; $i < @ARGV; $i++) {
    my $word = $ARGV[$i];
    part("a", $word);
    next if $words;
    if ($word eq "--") { $words = 1 }
    elsif ($takes_file && $word =~ /^--file(?:=(.*))?$/s) {
        my $path = $1;
        if (!defined $path) { last if ++$i == @ARGV; $path = $ARGV[$i]; part("a", $path) }
        part("i", $path eq "-" ? slurp(\*STDIN) : content($path));
    }
    elsif ($takes_files && $word =~ /^[^-=][^=]*#file=(.*)$/s) { part("f", content($1)) }
}
$request .= ".\n";
my $agent;
socket($agent, 1, 1, 0) && connect($agent, pack("Sa*x", 1, $ENV{JUJU_AGENT_SOCKET_ADDRESS} || "")) or fail("cannot reach the agent");
$SIG{PIPE} = "IGNORE";
for (my $sent = 0; $sent < length $request;) {
    my $n = syswrite($agent, $request, length($request) - $sent, $sent);
    defined $n or fail("lost the agent");
    $sent += $n;
}
$SIG{PIPE} = "DEFAULT";
my $reply = slurp($agent, "lost the agent");
$reply =~ s/^(\d+) (\d+) (\d+)\n// or fail("lost the agent");
my ($code, $out) = ($1, $2);
binmode STDOUT; binmode STDERR;
print STDOUT substr($reply, 0, $out);
print STDERR substr($reply, $out);
exit $code;
