#!/usr/bin/perl
# A hook tool: sends its arguments to the agent and prints what comes back. One file, a symbolic link for each tool.
# No module is loaded: that is what makes it fast. The format is described in server.py.
my ($name) = $0 =~ m{([^/]*)$};
my $request = "";
sub part { $request .= $_[0] . length($_[1]) . "\n" . $_[1] }
sub fail { print STDERR "ERROR $_[0]\n"; exit 1 }
sub slurp { my $text = ""; while (my $n = sysread($_[0], my $piece, 65536)) { $text .= $piece } $text }
sub content { open(my $file, "<", $_[0]) or fail("open $_[0]: no such file or directory"); binmode $file; slurp($file) }
part("c", $ENV{JUJU_CONTEXT_ID} || "");
part("t", $name);
my $words = 0;
for (my $i = 0; $i < @ARGV; $i++) {
    my $word = $ARGV[$i];
    part("a", $word);
    next if $words;
    if ($word eq "--") { $words = 1 }
    elsif ($word =~ /^--?file(?:=(.*))?$/s) {
        my $path = $1;
        if (!defined $path) { $path = $ARGV[++$i]; $path = "" unless defined $path; part("a", $path) }
        part("i", $path eq "-" ? slurp(\*STDIN) : content($path));
    }
    elsif ($word =~ /^[^=]*#file=(.*)$/s) { part("f", content($1)) }
}
$request .= ".\n";
my $agent;
socket($agent, 1, 1, 0) && connect($agent, pack("Sa*x", 1, $ENV{JUJU_AGENT_SOCKET_ADDRESS} || "")) or fail("cannot reach the agent");
for (my $sent = 0; $sent < length $request;) {
    my $n = syswrite($agent, $request, length($request) - $sent, $sent);
    defined $n or fail("lost the agent");
    $sent += $n;
}
my $reply = slurp($agent);
$reply =~ s/^(\d+) (\d+) (\d+)\n// or fail("lost the agent");
my ($code, $out) = ($1, $2);
binmode STDOUT; binmode STDERR;
print STDOUT substr($reply, 0, $out);
print STDERR substr($reply, $out);
exit $code;
